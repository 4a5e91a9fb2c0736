// The numbers of a pair's windows, and their summary over all pairs next to what random peaks would
// give. Methods stand in the order of the list of those that run: attention, gradient, then others.
// A method's numbers leave out its undefined windows (model/stats/profile.h), a comparison of two
// methods the pairs in which either is undefined.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/chance.h"
#include "apps/attribute/methods.h"
#include "apps/common/gene_training.h"
#include "engine/error.h"
#include "io/dataset/dataset.h"
#include "io/dataset/truth.h"
#include "model/stats/profile.h"

namespace cdt {

constexpr std::int64_t kSiteTolerance = 2;  // bins between a peak and a planted site

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

/// How many windows are in each state, by WindowState.
using StateCounts = std::array<std::int64_t, kWindowStates>;

/// Over the pairs whose window of one method is defined.
struct MethodSummary {
  std::int64_t n = 0;  // of them
  StateCounts states{};
  double distance_mean_bp = 0, distance_median_bp = 0;  // |peak's offset from the centre|
  double share_near = 0;                                // within kNearBp
  double edge_share = 0;                                // in the outer 5 % of the window
  double entropy = 0, effective_bins = 0, peak_over_uniform = 0;
};

/// Peaks against the planted sites of one kind.
struct SiteHits {
  std::int64_t pairs = 0;  // chosen pairs with DNA whose window has such a site
  std::vector<std::int64_t> n,
      hits;                 // by method: of those, peaks; peaks within kSiteTolerance of it
  double random_share = 0;  // expected share for a peak in a random bin; NaN without pairs
};

/// Over pairs with a planted effect, or over those without.
struct TruthSummary {
  SiteHits causal, decoy;
};

/// NaN where there is no window to summarise.
struct Summary {
  std::int64_t pairs = 0, enhancers = 0, bins = 0, bin_bp = 0, top = 0;
  std::int64_t zero_dna = 0;              // pairs of it, undefined for all methods
  std::optional<std::int64_t> untrained;  // pairs whose gene was never trained, where that is known
  std::int64_t replicates = 0;
  Methods methods;
  std::vector<MethodSummary> by_method;
  std::vector<MethodChance> chance;  // by method
  std::vector<Agreement> agreement;
  std::int64_t compared = 0;  // pairs with a peak of both attention and gradient: of what follows
  double overlap_mean = 0, overlap_median = 0;
  std::int64_t overlap_min = 0, overlap_max = 0;
  double between_mean_bp = 0, between_median_bp = 0;  // attention peak to gradient peak
  RandomPeaks random;
  std::optional<TruthSummary> with_effect, without_effect;  // with truth.json
};

/// numbers must not be empty.
Summary summarise(const std::vector<PairNumbers>& numbers, const Methods& methods,
                  const Dataset& data, const std::optional<Truth>& truth,
                  const NullOptions& options);

/// The content of summary.json (docs/formats.md), as far as these numbers go.
nlohmann::ordered_json summary_json(const Summary& summary);

/// The same for a reader, several lines.
std::string summary_table(const Summary& summary);

}  // namespace cdt
