// What a model must beat: predictions that never look at DNA, fitted on the training split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// One way to predict without the model.
struct BaselinePrediction {
  std::string name;                // key in JSON
  std::string label;               // for tables
  std::vector<float> predictions;  // one per pair
};

/// Effects are shared by gene, so a mean per gene already predicts well where genes occur in both
/// splits (docs/paper-vs-code.md). In this order, fitted on `train`, which must not be empty:
///   global_mean        the mean effect
///   gene_mean          the mean effect of the gene's pairs
///   gene_median        their median
///   clipped_gene_mean  as shrunk_gene_mean, after effects beyond kClippedShare at either end are
///                      moved there: for effects whose extremes are noise
///   shrunk_gene_mean   their mean, drawn towards the centre of all genes (model/stats/shrinkage.h)
/// A gene that train lacks gets the mean, median or centre of all genes.
std::vector<BaselinePrediction> gene_baselines(const std::vector<Pair>& train,
                                               const std::vector<Pair>& pairs);

/// The place of the highest r of some baselines; one without an r (NaN) counts as 0, as it explains
/// nothing. There is at least one.
std::size_t strongest_of(std::span<const double> r);

/// Winsorising at the quantiles 0.05 and 0.95 of the training effects. With Student's t noise of 2
/// and 3 degrees of freedom it takes nearly all of the correlation that any quantile takes, and it
/// costs nothing with normal noise; where extremes are true, shrunk_gene_mean is the stronger one.
inline constexpr double kClippedShare = 0.05;

/// The shrunk mean of each of `genes` genes, such as an output layer may start from. train must not
/// be empty.
std::vector<float> shrunk_gene_means(const std::vector<Pair>& train, std::int64_t genes);

}  // namespace cdt
