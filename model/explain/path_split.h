// Splits a prediction's gradient by its path to DNA. The head reads three pooled vectors, so
//   gradient = direct (DNA pooling) + via RNA (pooling) + via protein (pooling, through RNA)
//              + own RNA (token) + own protein (token, through RNA)     with the gene readout
// exactly, by the linearity of the chain rule. Norms of the parts do not add up; inner products do:
// with the input (product) and with the whole gradient (share). All paths but the direct one
// enter DNA through the cross-attention of RNA to DNA, and are split further there: by head, and
// into the part that changes its values and the part that changes its attention pattern.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/explain/gradient_pass.h"

namespace cdt {

struct PathSplit {
  /// Names in files, by GradientPass::Path.
  static constexpr std::array<const char*, GradientPass::kMostPaths> kNames{
      "direct", "via_rna", "via_protein", "own_rna", "own_protein"};
  // By path; the model decides how many there are (GradientPass::path_count()).
  /// L2 norm of each part per bin, at the DNA input.
  std::vector<std::vector<float>> norm;
  /// Part times input per bin; the parts add up to gradient x input.
  std::vector<std::vector<float>> product;
  /// (part . whole) / |whole|^2 over the window at the DNA input; the shares add up to 1. NaN if
  /// whole is 0.
  std::vector<double> share;
  /// |sum of the parts - whole| / |whole| at the output of the linear map; 0 if whole is 0.
  double additivity_error = 0;
};

/// The gradient of one path through dna_to_rna, by half (GradientPass::Half) and head.
struct HeadSplit {
  /// (part . whole) / |whole|^2 with the whole gradient; the shares add up to the path's share.
  std::array<std::vector<double>, GradientPass::kHalves> share;
  /// Part times input, summed over the window; they add up to the sum of PathSplit::product.
  std::array<std::vector<double>, GradientPass::kHalves> product;
  /// |sum of the parts - the path's gradient| / |the path's gradient| at the output of the linear
  /// map.
  double additivity_error = 0;
};

/// All paths but the direct one, in order.
using HeadSplits = std::vector<HeadSplit>;

/// Compute either split for each gene, in order, from one forward pass on z (L, D); after_gene is
/// called after each gene.
std::vector<PathSplit> split_paths(
    Explainer& explainer, std::span<const float> z, const std::vector<std::int32_t>& genes,
    const std::function<void()>& after_gene = [] {});
std::vector<HeadSplits> split_heads(
    Explainer& explainer, std::span<const float> z, const std::vector<std::int32_t>& genes,
    const std::function<void()>& after_gene = [] {});

}  // namespace cdt
