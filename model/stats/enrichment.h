// Are the top bins of attribution profiles on annotated elements more or less often than chance?
// Counts are pooled over windows; the nulls keep what neighbouring bins have in common, which an
// exact test of the counts does not. All p are two-sided: twice the smaller tail, at most 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/stats/bootstrap.h"
#include "model/stats/null_tests.h"
#include "model/stats/statistics.h"

namespace cdt {

/// The window of one enhancer, and the top bins of the pairs that share it.
struct EnrichmentWindow {
  std::vector<bool> eligible;                   // (L): bins that count, e.g. on the chromosome
  std::vector<bool> covered;                    // (L): bins on an element of the class
  std::vector<std::vector<std::int64_t>> tops;  // by pair
};

struct PermutationNull {
  double mean_fold = kNaN;  // over the permutations
  ResampledP test;          // of the number of covered top bins
  bool more = false;        // its smaller tail is that of more covered top bins
};

struct Enrichment {
  CountTable table;        // eligible bins, counted once for each pair
  double fold = 0;         // covered share of top bins over covered share of eligible bins
  Interval fold_interval;  // bootstrap over enhancers
  FisherTest fisher;       // takes bins for independent, which they are not
  PermutationNull shift;   // each window's top bins shifted around it by one random number
  PermutationNull other;   // each window's top bins laid on another window, drawn at random
  /// The headline: the largest p of the three, Fisher's being p_doubled, so that all three follow
  /// one rule; 1 where they do not all lie on the side of the fold, as they then contradict each
  /// other. The error is NaN where it is Fisher's, or that 1.
  ResampledP weakest;
  bool more() const { return fold > 1.0; }
};

struct EnrichmentOptions {
  std::int64_t permutations = 9999;
  BootstrapOptions bootstrap;
  std::uint64_t seed = 0;
};

/// All windows have L bins, at least one window and one bin. NaN where no bin is covered or all
/// are: fold, its interval, the headline and the nulls. `other` is NaN with a single window, and
/// then does not count for the headline. A pure function of its arguments.
Enrichment enrichment(std::span<const EnrichmentWindow> windows, const EnrichmentOptions& options);

}  // namespace cdt
