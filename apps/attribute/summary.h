// The numbers of all pairs beside chance: of each method, of the agreement of every two, and of
// peaks at planted sites. A method's numbers leave out its undefined windows
// (model/stats/profile.h), a comparison of two methods the pairs in which either is undefined.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/numbers.h"
#include "model/stats/peak_tests.h"

namespace cdt {

constexpr std::int64_t kSiteTolerance = 2;  // bins between a peak and a planted site

/// Over the pairs whose window of one method is defined.
struct MethodSummary {
  std::int64_t n = 0;                                   // of them
  std::array<std::int64_t, kWindowStates> states = {};  // how many windows are in each state
  PeakStatistics peaks;
  PeakIntervals intervals;
  PeakTests uniform, shifted;
  MeanInterval entropy, effective_bins, peak_over_uniform;
};

struct Agreement {
  std::size_t first = 0, second = 0;  // methods
  std::int64_t n = 0, undefined = 0;  // pairs with a peak of both; the others
  MeanInterval overlap;               // of the two tops
  std::int64_t overlap_min = 0, overlap_max = 0;
  NullTest hypergeometric, shifted;
  MeanInterval pearson, spearman;  // over pairs for which they are defined
  MeanInterval between_bp;         // distance of the two peaks
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
  std::vector<Agreement> agreement;  // of every two: attention and gradient first
  RandomPeaks random;
  std::optional<TruthSummary> with_effect, without_effect;  // with truth.json
};

/// numbers must not be empty.
Summary summarise(const std::vector<PairNumbers>& numbers, const Methods& methods,
                  const Dataset& data, const std::optional<Truth>& truth,
                  const NullOptions& options);

/// The keys of summary.json (docs/formats.md) that rest on these numbers.
nlohmann::ordered_json summary_json(const Summary& summary);

/// The same as a table.
std::string summary_table(const Summary& summary);

}  // namespace cdt
