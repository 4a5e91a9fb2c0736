// Are the top bins of attribution profiles on annotated elements more often than chance? Counts are
// pooled over windows; the nulls keep what neighbouring bins have in common, which an exact test of
// the counts does not.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/bootstrap.h"
#include "model/exact_tests.h"

namespace cdt {

/// The window of one enhancer, and the top bins of the pairs that share it.
struct EnrichmentWindow {
  std::vector<bool> eligible;                   // (L): bins that count, e.g. on the chromosome
  std::vector<bool> covered;                    // (L): bins on an element of the class
  std::vector<std::vector<std::int64_t>> tops;  // by pair
};

struct PermutationNull {
  double mean_fold = 0;  // over the permutations
  double p = 1;          // (1 + permutations with at least as many covered top bins) / (1 + all)
};

struct Enrichment {
  CountTable table;        // eligible bins, counted once for each pair
  double fold = 0;         // covered share of top bins over covered share of eligible bins
  Interval fold_interval;  // bootstrap over enhancers
  FisherTest fisher;       // takes bins for independent, which they are not
  PermutationNull shift;   // each window's top bins shifted around it by one random number
  PermutationNull other;   // each window's top bins laid on another window, drawn at random
  double p = 1;            // the largest of the three: the headline
};

struct EnrichmentOptions {
  std::int64_t permutations = 9999;
  BootstrapOptions bootstrap;
  std::uint64_t seed = 0;
};

/// All windows have L bins, at least one window and one bin. One-sided, towards more. NaN where no
/// bin is covered or all are: fold, its interval, p and the nulls. `other` is NaN with a single
/// window, and then does not count for p. A pure function of its arguments.
Enrichment enrichment(std::span<const EnrichmentWindow> windows, const EnrichmentOptions& options);

}  // namespace cdt
