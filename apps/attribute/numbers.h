// The numbers of a pair's windows, and their summary over all pairs next to what random peaks would
// give. Methods stand in the order of the list of those that run: attention, gradient, then others.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/chance.h"
#include "apps/attribute/methods.h"
#include "io/dataset.h"
#include "io/truth.h"
#include "model/profile.h"

namespace cdt {

constexpr std::int64_t kTopBins = 20;       // as in the paper's Figure 4
constexpr double kNearBp = 50000.0;         // as in its Figure 3
constexpr std::int64_t kSiteTolerance = 2;  // bins between a peak and a planted site

/// One method's window of one pair, by absolute value if the method is signed.
struct WindowNumbers {
  std::int64_t peak = 0;          // bin
  std::vector<std::int64_t> top;  // min(kTopBins, L) bins, largest score first
  Concentration concentration;
};

struct PairNumbers {
  Pair pair;
  float prediction = 0;
  std::vector<WindowNumbers> windows;  // by method
  std::vector<WindowCorrelation> correlations;
  std::int64_t shared_top = 0;  // bins in the tops of both attention and gradient
  bool zero_dna = false;        // the DNA input is all zeros: attention is uniform, its peak bin 0
};

PairNumbers pair_numbers(const Pair& pair, const PairScores& scores, const Methods& methods,
                         bool zero_dna);

/// Means over pairs for one method.
struct MethodSummary {
  double distance_mean_bp = 0, distance_median_bp = 0;            // |peak's offset from the centre|
  double share_near = 0;                                          // within kNearBp
  double edge_share = 0;                                          // in the outer 5 % of the window
  double entropy = 0, effective_bins = 0, peak_over_uniform = 0;  // windows that are all 0 left out
};

/// Peaks against the planted sites of one kind.
struct SiteHits {
  std::int64_t pairs = 0;          // chosen pairs whose window has such a site
  std::vector<std::int64_t> hits;  // by method: of those, peaks within kSiteTolerance of its bins
  double random_share = 0;         // expected share for a peak in a random bin; NaN without pairs
};

/// Over pairs with a planted effect, or over those without.
struct TruthSummary {
  SiteHits causal, decoy;
};

/// Over the pairs that have DNA: one whose input is all zeros says nothing about where the model
/// looks, and is only counted. NaN where none has.
struct Summary {
  std::int64_t pairs = 0, enhancers = 0, bins = 0, bin_bp = 0, top = 0;
  std::int64_t zero_dna = 0;  // pairs left out
  std::int64_t replicates = 0;
  Methods methods;
  std::vector<MethodSummary> by_method;
  std::vector<MethodChance> chance;  // by method; empty without a pair that has DNA
  std::vector<Agreement> agreement;  // the same
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
