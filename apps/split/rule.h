// How pairs are split again: in given shares or into folds, by units that stay together, stratified
// by label.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "apps/split/units.h"
#include "io/dataset/dataset.h"

namespace cdt {

struct SplitRule {
  Unit unit = Unit::kLocus;
  std::int64_t folds = 0;             // 0: by shares
  std::vector<double> shares;         // of train, val and test; their sum is 1
  std::set<std::string> test_chroms;  // all of these; `shares` divide the others
  std::set<std::string> val_chroms;
  std::uint64_t seed = 0;
};

/// Returns the pairs of the data set with new splits and, with folds, new folds, of which the
/// splits are those of fold 1. units: of each pair. Throws InputError naming --by if the units are
/// too few.
std::vector<Pair> split_again(const Dataset& data, const std::vector<std::int32_t>& units,
                              const SplitRule& rule);

/// Part of each pair, an index of `shares`. Units are taken in a random order, larger ones first.
/// Of equal parts each goes to the one that lacks most of its share: of the positive pairs (label
/// 1) if the unit has some, else of all pairs; of unequal parts, to the one where it brings pairs
/// and positives nearest to the shares. shares: of the pairs, their sum is 1. A part whose share is
/// 0 gets nothing. A smaller part takes no unit of more than a twentieth of it, if there are enough
/// others, so that it has many units.
std::vector<std::int32_t> assign(const std::vector<Pair>& pairs,
                                 const std::vector<std::int32_t>& units,
                                 std::span<const double> shares, std::uint64_t seed);

}  // namespace cdt
