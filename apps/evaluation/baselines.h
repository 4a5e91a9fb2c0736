// What a model must beat: predictions that never look at DNA, fitted on the training split.
#pragma once

#include <cstdint>
#include <vector>

#include "io/dataset.h"

namespace cdt {

/// Effects are shared by gene, so a mean per gene already predicts well where genes occur in both
/// splits (docs/paper-vs-code.md).
struct Baselines {
  std::vector<float> global_mean;  // one prediction per pair
  std::vector<float> gene_mean;    // the global mean where train lacks the gene
  std::int64_t genes_unseen = 0;   // pairs whose gene train lacks
};

/// train must not be empty.
Baselines fit_baselines(const std::vector<Pair>& train, const std::vector<Pair>& pairs);

/// How far the evaluation pairs stand apart from the training pairs.
struct TrainOverlap {
  std::int64_t enhancer = 0;  // pairs whose enhancer occurs in train
  std::int64_t gene = 0;      // pairs whose gene does
  std::int64_t pair = 0;      // pairs that are training pairs themselves
};
TrainOverlap train_overlap(const std::vector<Pair>& train, const std::vector<Pair>& pairs);

}  // namespace cdt
