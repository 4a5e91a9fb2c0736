// Baselines that a model must beat: predictions that never use DNA, fitted on the training split.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

struct BaselineName {
  const char* name;   // key in JSON
  const char* label;  // for tables
};
/// All baselines, in the order of tables and columns.
inline constexpr std::array<BaselineName, 9> kBaselines{{{"global_mean", "global mean"},
                                                         {"gene_mean", "gene mean"},
                                                         {"gene_median", "gene median"},
                                                         {"clipped_gene_mean", "clipped gene mean"},
                                                         {"shrunk_gene_mean", "shrunk gene mean"},
                                                         {"distance", "distance"},
                                                         {"nearest_gene", "nearest gene"},
                                                         {"ridge_no_dna", "ridge without DNA"},
                                                         {"ridge", "ridge"}}};
/// The baseline of that name, or null.
const BaselineName* find_baseline(std::string_view name);

/// Predictions of one baseline.
struct BaselinePrediction {
  std::string name, label;         // as in kBaselines
  std::vector<float> predictions;  // one per pair
};
/// A baseline of kBaselines without predictions.
BaselinePrediction empty_baseline(const char* name);

/// The effects of pairs in float64.
std::vector<double> effects_of(const std::vector<Pair>& pairs);

/// Fits the baselines below, in this order, on `train`, which must not be empty. Much of an effect
/// is common to all pairs of a gene, so a mean per gene already predicts well where genes occur in
/// both splits (docs/paper-vs-code.md).
///
///   global_mean        mean of all effects
///   gene_mean          mean effect of the gene's pairs
///   gene_median        median effect of the gene's pairs
///   clipped_gene_mean  shrunk_gene_mean of winsorised effects (kClippedShare at either end), for
///                      effects whose extremes are noise
///   shrunk_gene_mean   gene_mean, shrunk towards the centre of all genes (model/stats/shrinkage.h)
///
/// A gene without training pairs gets the mean, median or centre of all genes.
std::vector<BaselinePrediction> gene_baselines(const std::vector<Pair>& train,
                                               const std::vector<Pair>& pairs);

/// Index of the highest r among the baselines, of which there must be at least one; an undefined r
/// (NaN) counts as 0, since such a baseline explains nothing.
std::size_t strongest_of(std::span<const double> r);

/// Effects are winsorised at the quantiles 0.05 and 0.95 of the training effects. With Student's t
/// noise of 2 and 3 degrees of freedom this gains nearly all of the correlation that any quantile
/// gains, and with normal noise it costs nothing; where extreme effects are real, shrunk_gene_mean
/// is the stronger baseline.
inline constexpr double kClippedShare = 0.05;

/// Shrunk mean effect of each of `genes` genes, as initial values for the bias of an output layer.
/// train must not be empty.
std::vector<float> shrunk_gene_means(const std::vector<Pair>& train, std::int64_t genes);

}  // namespace cdt
