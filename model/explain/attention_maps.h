// The attention maps of the model, named after their blocks, and what they show: how sharp the
// heads are, and how similar the rows of different genes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/explain/explainer.h"
#include "model/stats/profile.h"

namespace cdt {

/// Describes one map, (H, Nq, Nk): "dna_self_attn_layers.0", "rna_self_attn_layers.0",
/// "protein_self_attn_layers.0", "dna_to_rna" (genes over bins), "rna_to_protein", and the poolings
/// "vce.dna", "vce.rna", "vce.protein" with one query.
struct AttentionMap {
  std::string name;
  std::int64_t heads = 0, queries = 0, keys = 0;
  const char* query_axis = "";  // "bin", "gene" or "pooling"
  const char* key_axis = "";    // "bin" or "gene"
  bool of_enhancer = true;      // depends on the DNA window
};

/// Returns all maps of a model in forward order.
std::vector<AttentionMap> attention_maps(const CdtConfig& config, std::int64_t bins);

/// Receives a map in host memory, H maps of (Nq, Nk).
using MapReceiver = std::function<void(const AttentionMap& map, std::span<const float> values)>;

/// enhancer_maps() computes the wanted maps that depend on DNA in one pass, with z (L, D) as from
/// Explainer::project(); trunk_maps() computes those that do not.
void enhancer_maps(Explainer& explainer, std::span<const float> z,
                   const std::vector<AttentionMap>& wanted, const MapReceiver& receive);
void trunk_maps(Explainer& explainer, const std::vector<AttentionMap>& wanted,
                const MapReceiver& receive);

/// Returns entropy and effective number of positions per head (H entries), averaged over its query
/// rows.
std::vector<Concentration> head_concentration(const AttentionMap& map,
                                              std::span<const float> values);

/// Pearson correlations between all pairs of rows of a matrix.
struct RowCorrelation {
  std::int64_t pairs = 0;          // pairs of defined rows; without any, all else is NaN
  std::int64_t constant_rows = 0;  // undefined rows (model/stats/profile.h), left out
  double mean = 0, median = 0, min = 0;
  double share_above = 0;  // share of pairs with r > kAlike
};
constexpr double kAlike = 0.99;  // the paper's "pairwise correlation > 0.99 across genes"
RowCorrelation row_correlation(std::span<const float> matrix, std::int64_t rows);

}  // namespace cdt
