// The numbers of one pair: of its windows, of how they agree, and against planted sites. Methods
// are in the order of those that run: attention, gradient, then others.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "apps/attribute/methods.h"
#include "engine/error.h"
#include "io/dataset/dataset.h"
#include "io/dataset/truth.h"
#include "model/stats/bootstrap.h"
#include "model/stats/profile.h"

namespace cdt {

/// The prediction of a pair, and the scores (L) of each method.
struct PairScores {
  float prediction = 0;
  std::vector<std::vector<float>> windows;
};

/// One method's window of one pair, by absolute value if the method is signed.
struct WindowNumbers {
  WindowState state = WindowState::kDefined;
  std::vector<std::int64_t> top;  // min(kTopBins, L) bins, largest score first; none: undefined
  Concentration concentration;    // of the scores, whatever the state
  bool defined() const { return state == WindowState::kDefined; }
  /// Bin; of a defined window.
  std::int64_t peak() const {
    CDT_CHECK(defined(), "an undefined window has no peak");
    return top.front();
  }
};

/// Correlation of two methods' windows of one pair, by absolute value; NaN where one is undefined.
struct WindowCorrelation {
  double pearson = 0, spearman = 0;
};
/// For every two methods, first < second, in order of first, then second.
std::vector<WindowCorrelation> window_correlations(const PairScores& scores,
                                                   const Methods& methods);

struct PairNumbers {
  Pair pair;
  float prediction = 0;
  std::vector<WindowNumbers> windows;  // by method
  std::vector<WindowCorrelation> correlations;
  std::optional<std::int64_t> shared_top;  // bins in the tops of both attention and gradient
  bool zero_dna = false;                   // the DNA input is all zeros: all windows are undefined
};

PairNumbers pair_numbers(const Pair& pair, const PairScores& scores, const Methods& methods,
                         bool zero_dna);

/// Mean and median over pairs, values that are NaN left out, with a bootstrap over enhancers.
struct PairMean {
  std::int64_t n = 0;
  Estimate mean;
  double median = 0;
};
PairMean mean_interval(const std::vector<double>& values,
                       const std::vector<std::int32_t>& enhancers, std::uint64_t seed);

/// NaN and 0 without values.
MeanLargest mean_largest(const std::vector<double>& values);

/// What truth.json says of a pair; none if it does not list the pair.
struct Planted {
  bool has_effect = false;
  const TruthSites& sites;
};
std::optional<Planted> planted_at(const Truth& truth, const Dataset& data, const Pair& pair);

/// What is measured of one pair and method, on the absolute scores.
struct SiteScores {
  double causal_auroc = 0;       // causal bins against bins of neither site
  double decoy_auroc = 0;        // decoy bins against bins of neither site; 0.5 is right
  double causal_over_decoy = 0;  // AUROC of causal against decoy bins
  double causal_precision = 0;   // share of the k highest bins that are causal, k the causal bins
  double decoy_precision = 0;    // share of them that are decoy
};
SiteScores site_scores(const std::vector<float>& scores, const TruthSites& sites);

}  // namespace cdt
