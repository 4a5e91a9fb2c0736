// Intervals, null tests and agreement as they stand in summary.json.
#include <nlohmann/json.hpp>

#include "apps/attribute/chance.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

Json interval_json(const Interval& interval) { return {interval.low, interval.high}; }

Json test_json(const NullTest& test) {
  return {{"expectation", test.expectation},
          {"standard_deviation", test.deviation},
          {"interval_95", {test.low, test.high}},
          {"p", test.p},
          {"p_monte_carlo_error", test.p_error},
          {"p_at_floor", test.at_floor},
          {"z", test.z},
          {"effect_size", test.observed / test.expectation}};
}

Json peaks_json(const PeakTests& tests) {
  return {{"peak_distance_bp",
           {{"mean", test_json(tests.distance_mean_bp)},
            {"median", test_json(tests.distance_median_bp)},
            {"share_within_50kb", test_json(tests.share_near)}}},
          {"peak_in_outer_5_percent", test_json(tests.edge_share)}};
}

Json mean_json(const MeanInterval& m) {
  return {{"mean", m.mean}, {"interval_95", interval_json(m.interval)}};
}

}  // namespace

Json chance_json(const MethodChance& c) {
  return {
      {"interval_95",
       {{"peak_distance_bp",
         {{"mean", interval_json(c.peaks.distance_mean_bp)},
          {"median", interval_json(c.peaks.distance_median_bp)},
          {"share_within_50kb", interval_json(c.peaks.share_near)}}},
        {"peak_in_outer_5_percent", interval_json(c.peaks.edge_share)},
        {"entropy_nats", interval_json(c.entropy)},
        {"effective_bins", interval_json(c.effective_bins)},
        {"peak_over_uniform", interval_json(c.peak_over_uniform)}}},
      {"null", {{"uniform", peaks_json(c.uniform)}, {"circular_shift", peaks_json(c.shifted)}}}};
}

Json agreements_json(const std::vector<Agreement>& agreements, const Methods& methods,
                     std::int64_t top) {
  Json out = Json::array();
  for (const Agreement& a : agreements) {
    Json overlap = mean_json(a.overlap);
    overlap["share"] = a.overlap.mean / static_cast<double>(top);
    overlap["fold"] = a.overlap.mean / a.hypergeometric.expectation;
    overlap["hypergeometric"] = test_json(a.hypergeometric);
    overlap["circular_shift"] = test_json(a.shifted);
    out.push_back({{"first", methods[a.first]->name},
                   {"second", methods[a.second]->name},
                   {"n", a.n},
                   {"undefined", a.undefined},
                   {"top_overlap", overlap},
                   {"pearson", mean_json(a.pearson)},
                   {"spearman", mean_json(a.spearman)},
                   {"distance_between_peaks_bp", mean_json(a.between_bp)}});
  }
  return out;
}

}  // namespace cdt
