// Folds of a data set: the column `fold` of pairs.tsv says which pairs each fold tests, so that
// every pair is tested once, by a model that was neither trained nor chosen on it.
#pragma once

#include <cstdint>

#include "io/dataset/dataset.h"

namespace cdt {

/// One fold tests, the next one validates, and at least one is left to train.
inline constexpr int kLeastFolds = 3;
inline constexpr int kMostFolds = 1000;

/// The fold that validates while `fold` tests: the next one, after the last the first.
std::int64_t validating_fold(std::int64_t fold, std::int64_t folds);

/// Split of a pair of fold `of` (from 1) when `fold` tests.
Split split_in_fold(std::int64_t of, std::int64_t fold, std::int64_t folds);

/// Sets the split of every pair as `use` says, and removes the training pairs of loci that are
/// not used: loci are taken in a random order that depends on the seed only, so a larger share
/// contains a smaller one, until they have that share of the training pairs. Throws InputError
/// naming --fold if the data set has no such fold.
void use_pairs(const PairUse& use, Dataset* data);

}  // namespace cdt
