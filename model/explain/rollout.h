// Attention through all layers of the DNA path, per bin of the input:
// - rollout (Abnar and Zuidema, ACL 2020): maps averaged over heads, each self-attention layer
//   A' = (A + I) / 2 for the residual connection, multiplied through the layers;
// - GMAR (arXiv:2504.19414): the same, with heads weighted by the norm of the prediction's gradient
//   at their map.
// score = row A'_n ... A'_1, which sums to 1.
// The row is where one path from DNA to the prediction ends: the target gene's row of dna_to_rna
// (via RNA), or the row of DNA pooling (direct, often most of the gradient:
// model/explain/path_split.h), which is the same for all genes except for the weights of its heads.
// The other path does not enter the scores.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/explain/explainer.h"

namespace cdt {

/// Self-attention maps of one sequence, in host memory, first layer first.
struct LayerMaps {
  std::int64_t heads = 0, length = 0;
  std::vector<std::vector<float>> layers;  // each (H, L, L), rows sum to 1
};

/// Returns head weights (H) that add up to 1: proportional to `norms`, or equal if all norms are 0.
std::vector<double> head_weights(std::span<const double> norms);

/// Returns the mean of maps (H, N) with weights (H).
std::vector<double> mix_heads(std::span<const float> maps, std::span<const double> weights);

/// Returns row (L) A'_n ... A'_1 with A' = (sum_h w_h A_h + I) / 2; weights[layer] (H).
std::vector<double> roll_through(std::vector<double> row, const LayerMaps& maps,
                                 const std::vector<std::vector<double>>& weights);

enum class MapNorm : std::uint8_t { kL1, kL2 };
enum class RolloutEnd : std::uint8_t { kRna, kDnaPool };

/// Returns rollout scores (L) of each gene, in order, for one enhancer, z (L, D) as from
/// Explainer::project().
std::vector<std::vector<float>> rollout(Explainer& explainer, std::span<const float> z,
                                        const std::vector<std::int32_t>& genes,
                                        RolloutEnd end = RolloutEnd::kRna);

/// Scores of one gene and the head weights behind them.
struct Gmar {
  std::vector<float> scores;                       // (L)
  std::vector<std::vector<double>> layer_weights;  // (H) per DNA self-attention layer
  std::vector<double> end_weights;                 // (H) of dna_to_rna, or of DNA pooling
};
std::vector<Gmar> gmar(Explainer& explainer, std::span<const float> z,
                       const std::vector<std::int32_t>& genes, RolloutEnd end = RolloutEnd::kRna,
                       MapNorm norm = MapNorm::kL1);

}  // namespace cdt
