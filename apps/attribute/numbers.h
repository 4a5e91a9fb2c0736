// Numbers of one pair: its windows, their agreement, and their scores at planted sites. Methods are
// in the order in which they run: attention, gradient, then others.
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

/// Prediction of a pair and scores (L) of each method.
struct PairScores {
  float prediction = 0;
  std::vector<std::vector<float>> windows;
};

/// Numbers of one method's window of one pair, using absolute values if the method is signed.
struct WindowNumbers {
  WindowState state = WindowState::kDefined;
  std::vector<std::int64_t> top;  // min(kTopBins, L) bins, highest score first; empty if undefined
  Concentration concentration;    // of the scores, whether defined or not
  bool defined() const { return state == WindowState::kDefined; }
  /// Bin of the peak; the window must be defined.
  std::int64_t peak() const {
    CDT_CHECK(defined(), "an undefined window has no peak");
    return top.front();
  }
};

/// Correlation of two methods' windows of one pair, on absolute values; NaN if one is undefined.
struct WindowCorrelation {
  double pearson = 0, spearman = 0;
};
/// Correlations of all pairs of methods, first < second, ordered by first, then second.
std::vector<WindowCorrelation> window_correlations(const PairScores& scores,
                                                   const Methods& methods);

struct PairNumbers {
  Pair pair;
  float prediction = 0;
  std::vector<WindowNumbers> windows;  // by method
  std::vector<WindowCorrelation> correlations;
  std::optional<std::int64_t> shared_top;  // bins in the top of both attention and gradient
  bool zero_dna = false;  // the DNA input is all zeros, so all windows are undefined
};

PairNumbers pair_numbers(const Pair& pair, const PairScores& scores, const Methods& methods,
                         bool zero_dna);

/// Mean and median over pairs without NaN, with a bootstrap interval over enhancers.
struct PairMean {
  std::int64_t n = 0;
  Estimate mean;
  double median = 0;
};
PairMean mean_interval(const std::vector<double>& values,
                       const std::vector<std::int32_t>& enhancers, std::uint64_t seed);

/// NaN and 0 if there are no values.
MeanLargest mean_largest(const std::vector<double>& values);

/// What truth.json says about a pair; nothing if it does not list the pair.
struct Planted {
  bool has_effect = false;
  TruthSites sites;  // as they are for the gene
};
std::optional<Planted> planted_at(const Truth& truth, const Dataset& data, const Pair& pair);

/// How well one method finds the planted sites of one pair, from its absolute scores.
struct SiteScores {
  double causal_auroc = 0;       // causal bins against bins of neither site
  double decoy_auroc = 0;        // decoy bins against bins of neither site; ideally 0.5
  double causal_over_decoy = 0;  // AUROC of causal against decoy bins
  double causal_precision =
      0;  // share of causal bins among the k highest, k the number of causal bins
  double decoy_precision = 0;  // share of decoy bins among them
};
SiteScores site_scores(const std::vector<float>& scores, const TruthSites& sites);

}  // namespace cdt
