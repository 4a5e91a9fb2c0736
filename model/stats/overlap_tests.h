// How many bins the tops of two methods share, against chance (model/stats/null_tests.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/stats/null_tests.h"

namespace cdt {

/// The tops of two methods for one pair.
struct TopPair {
  std::span<const std::int64_t> first, second;
  std::int32_t enhancer = 0;
};

/// P(x) for x = 0 to k of two independent random sets of k of n bins: hypergeometric.
std::vector<double> overlap_probabilities(std::int64_t k, std::int64_t n);
/// Of the sum of `count` independent draws; entry x is P(offset + x). Tails below 1e-300 are cut.
struct SumDistribution {
  std::int64_t offset = 0;
  std::vector<double> probabilities;
};
SumDistribution distribution_of_sum(const std::vector<double>& probabilities, std::int64_t count);

/// Mean number of shared bins over pairs, all tops of `k` of `bins`, against its hypergeometric
/// expectation k^2 / bins; exact. p is at least 1e-300.
NullTest hypergeometric_overlap_test(std::span<const TopPair> pairs, std::int64_t k,
                                     std::int64_t bins);
/// The same against circular shifts of the second top.
NullTest shifted_overlap_test(std::span<const TopPair> pairs, std::int64_t bins,
                              const NullOptions& options);

}  // namespace cdt
