// The numbers of an evaluation by distance from the enhancer to the gene's start: near a start
// many enhancers act and a prediction is easy, far away few do.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/classification.h"
#include "apps/evaluation/loci_count.h"
#include "apps/evaluation/places.h"
#include "apps/evaluation/score.h"
#include "io/format/json_types.h"

namespace cdt {

/// Borders of the ranges in kb; the last is the largest distance of the field's benchmarks.
inline constexpr std::array<std::int64_t, 4> kDistanceBorders{0, 20, 100, 2500};

struct DistanceScore {
  Estimate pearson, auprc;  // auprc: NaN without positives

  template <class V>
  void fields(V& v) {
    v("pearson", pearson);
    v("auprc", auprc);
  }
};

/// The pairs of one range of distances.
struct DistanceRange {
  std::int64_t from_kb = 0, to_kb = 0;  // from is in the range, to is not
  std::int64_t pairs = 0;
  LociCount loci;
  Nullable<std::int64_t> positives;  // null if nothing says which pairs are positive
  DistanceScore model, baseline;

  template <class V>
  void fields(V& v) {
    v("from_kb", from_kb);
    v("to_kb", to_kb);
    v("n", pairs);
    loci.fields(v);
    v("positives", positives);
    model.fields(v);
    v("baseline", baseline);
  }
};

struct ByDistance {
  std::string baseline;        // name of the one that is compared
  std::int64_t elsewhere = 0;  // pairs in no range: further away, or at an unknown distance
  std::vector<DistanceRange> ranges;

  template <class V>
  void fields(V& v) {
    v("baseline", baseline);
    v("elsewhere", elsewhere);
    v("ranges", ranges);
  }
};

/// positives: null if nothing says which pairs are positive.
ByDistance score_by_distance(const ScoredPairs& pairs, const Places& places,
                             std::span<const float> predictions, const BaselinePrediction& baseline,
                             const Positives* positives);

}  // namespace cdt
