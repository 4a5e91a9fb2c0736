// Tests whether the top bins of attribution profiles lie on annotated elements more or less often
// than by chance. Counts are pooled over windows. The nulls preserve the correlation of
// neighbouring bins, which an exact test of the counts ignores. All p are two-sided: twice the
// smaller tail, at most 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/stats/bootstrap.h"
#include "model/stats/null_tests.h"
#include "model/stats/statistics.h"

namespace cdt {

/// One enhancer's window, and the top bins of the pairs that share it.
struct EnrichmentWindow {
  std::vector<bool> eligible;                   // (L): bins that count, e.g. on the chromosome
  std::vector<bool> covered;                    // (L): bins on an element of the class
  std::vector<std::vector<std::int64_t>> tops;  // per pair
};

struct PermutationNull {
  double mean_fold = kNaN;  // over the permutations
  ResampledP test;          // test of the number of covered top bins
  bool more = false;        // the smaller tail is that of more covered top bins
};

struct Enrichment {
  CountTable table;        // eligible bins, counted once per pair
  double fold = 0;         // covered fraction of top bins / that of eligible bins
  Interval fold_interval;  // bootstrap over enhancers
  FisherTest fisher;       // assumes independent bins, which they are not
  PermutationNull shift;   // each window's top bins shifted circularly by one random number
  PermutationNull other;   // each window's top bins placed on another window, drawn at random
  /// The headline: the largest p of the three, using Fisher's p_doubled so that all three follow
  /// one rule. It is 1 if any of them is on the other side than the fold, because they then
  /// contradict each other. The error is NaN if the p is Fisher's or that 1.
  ResampledP weakest;
  bool more() const { return fold > 1.0; }
};

struct EnrichmentOptions {
  std::int64_t permutations = 9999;
  BootstrapOptions bootstrap;
  std::uint64_t seed = 0;
};

/// Computes the enrichment; there must be at least one window and one bin, and all windows have L
/// bins. If no bin is covered, or all are, the fold, its interval, the headline and the nulls are
/// NaN. `other` is NaN with a single window, and is then ignored in the headline. A pure function
/// of its arguments.
Enrichment enrichment(std::span<const EnrichmentWindow> windows, const EnrichmentOptions& options);

}  // namespace cdt
