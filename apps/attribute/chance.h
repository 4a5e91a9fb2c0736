// The numbers of an attribution beside chance: intervals and null tests of each method, and the
// agreement of every two methods. Undefined windows are left out (apps/attribute/numbers.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "apps/attribute/methods.h"
#include "io/dataset/dataset.h"
#include "model/stats/peak_tests.h"

namespace cdt {

struct PairNumbers;
using Methods = std::vector<const Method*>;

struct MethodChance {
  PeakIntervals peaks;
  Interval entropy, effective_bins, peak_over_uniform;
  PeakTests uniform, shifted;
};
MethodChance method_chance(const std::vector<PairNumbers>& numbers, std::size_t method,
                           const Dataset& data, const NullOptions& options);

/// Correlation of two methods' windows of one pair, by absolute value; NaN where one is undefined.
struct WindowCorrelation {
  double pearson = 0, spearman = 0;
};
/// For every two methods, first < second, in order of first, then second.
std::vector<WindowCorrelation> window_correlations(const PairScores& scores,
                                                   const Methods& methods);

/// A mean over pairs with its interval from a bootstrap over enhancers.
struct MeanInterval {
  double mean = 0;
  Interval interval;
};

struct Agreement {
  std::size_t first = 0, second = 0;  // methods
  std::int64_t n = 0, undefined = 0;  // pairs with a peak of both; the others
  MeanInterval overlap;               // of the two tops
  NullTest hypergeometric, shifted;
  MeanInterval pearson, spearman;  // over pairs for which they are defined
  MeanInterval between_bp;         // distance of the two peaks
};
std::vector<Agreement> agreements(const std::vector<PairNumbers>& numbers, std::size_t methods,
                                  const Dataset& data, const NullOptions& options);

/// "interval_95" and "null" of a method in summary.json.
nlohmann::ordered_json chance_json(const MethodChance& chance);
/// The array "agreement" of summary.json.
nlohmann::ordered_json agreements_json(const std::vector<Agreement>& agreements,
                                       const Methods& methods, std::int64_t top);

}  // namespace cdt
