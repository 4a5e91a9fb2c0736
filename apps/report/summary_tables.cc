#include "apps/report/summary_tables.h"

#include <cmath>
#include <string>
#include <vector>

#include "apps/report/defined_pairs.h"
#include "apps/report/numerals.h"

namespace cdt {
namespace {

constexpr const char* kErrors =
    "\u00b1 is its Monte Carlo error, \u2264 stands where no replicate was as extreme, and an "
    "exact p "
    "has neither.";

std::string method_number(const nlohmann::json& numbers, const std::string& path, double scale,
                          int digits) {
  const Interval interval = interval_at(numbers, "interval_95." + path);
  return with_interval(number_at(numbers, path) * scale,
                       {interval.low * scale, interval.high * scale}, digits);
}

Html peak_p(const nlohmann::json& numbers, const std::string& path) {
  return p_value(weaker_p(value_at(numbers, "null.uniform." + path),
                          value_at(numbers, "null.circular_shift." + path)));
}

/// How far the scores of SmoothGrad are from what more samples would give; empty if it did not run.
Html smoothing(const Attribution& attribution) {
  const nlohmann::json& numbers = value_at(attribution.summary, "methods.smoothgrad");
  const double mean = number_at(numbers, "monte_carlo_error.mean");
  if (!std::isfinite(mean)) return {};
  return element("p", "Monte Carlo error of smoothgrad, of " +
                          counted(count_at(numbers, "samples"), "sample") + ": " +
                          percent(mean, 2) + " of a pair\u2019s scores on average, " +
                          percent(number_at(numbers, "monte_carlo_error.largest"), 2) +
                          " at most (norms over the window, from two halves of the samples).");
}

/// How nearly the scores of integrated gradients add up to what they claim to; empty if they did
/// not run.
Html completeness(const Attribution& attribution) {
  const nlohmann::json& numbers = value_at(attribution.summary, "integrated_gradients");
  const double mean = number_at(numbers, "completeness_error.mean");
  if (!std::isfinite(mean)) return {};
  Html out =
      "Completeness of integrated gradients: a pair\u2019s scores miss the change of its "
      "prediction from the baseline (" +
      string_at(numbers, "baseline") + ") by " + percent(mean, 2) + " of it on average, " +
      percent(number_at(numbers, "completeness_error.largest"), 2) + " at most.";
  const std::string gate = percent(number_at(numbers, "gate"), 0);
  if (const std::int64_t incomplete = count_at(numbers, "incomplete_pairs"); incomplete > 0) {
    out += " " + counted(incomplete, "pair") + " beyond the gate of " + gate + ".";
  }
  if (const std::int64_t pairs = count_at(numbers, "at_resolution_pairs"); pairs > 0) {
    out += " " + counted(pairs, "pair") + " beyond " + gate +
           " by no more than rounding of the predictions can make.";
  }
  return element("p", out);
}

}  // namespace

ResampledP read_p(const nlohmann::json& test) {
  const nlohmann::json& floor = value_at(test, "p_at_floor");
  return {number_at(test, "p"), number_at(test, "p_monte_carlo_error"),
          floor.is_boolean() && floor.get<bool>()};
}

ResampledP weaker_p(const nlohmann::json& first, const nlohmann::json& second) {
  const ResampledP a = read_p(first);
  const ResampledP b = read_p(second);
  return std::isnan(a.p) || b.p <= a.p ? a : b;
}

Html method_table(const Attribution& attribution) {
  std::vector<std::vector<Html>> rows;
  for (const MethodScores& method : attribution.methods) {
    const nlohmann::json& numbers = value_at(attribution.summary, "methods." + method.name);
    if (!numbers.is_object()) continue;
    const char* distance = "peak_distance_bp.mean";
    const char* edge = "peak_in_outer_5_percent";
    rows.push_back({method.name, method_number(numbers, distance, 1e-3, 1),
                    peak_p(numbers, distance), method_number(numbers, edge, 100.0, 1),
                    peak_p(numbers, edge), method_number(numbers, "effective_bins", 1.0, 1),
                    method_number(numbers, "peak_over_uniform", 1.0, 2), n_at(numbers, "n")});
  }
  if (rows.empty()) return {};
  return table("Methods",
               {"method", "peak to centre, mean kb", "p, two-sided", "peak at the edge, %",
                "p, two-sided", "effective bins", "peak over uniform", "n"},
               rows) +
         element(
             "p",
             "In brackets 95\u202f% intervals (bootstrap over enhancers). p: the larger of peaks "
             "in random bins and of windows shifted around, two-sided; " +
                 Html(kErrors) +
                 " The edge is the outer 5\u202f% of the window; effective bins are exp of the "
                 "entropy.") +
         completeness(attribution) + smoothing(attribution);
}

Html agreement_table(const Attribution& attribution) {
  const nlohmann::json& listed = value_at(attribution.summary, "agreement");
  if (!listed.is_array()) return {};
  std::vector<std::vector<Html>> rows;
  for (const nlohmann::json& both : listed) {
    const auto number = [&](const std::string& path) {
      return with_interval(number_at(both, path + ".mean"),
                           interval_at(both, path + ".interval_95"), 2);
    };
    rows.push_back({string_at(both, "first") + ", " + string_at(both, "second"),
                    number("top_overlap"), fixed(number_at(both, "top_overlap.fold"), 2),
                    p_value(weaker_p(value_at(both, "top_overlap.hypergeometric"),
                                     value_at(both, "top_overlap.circular_shift"))),
                    number("spearman"), n_at(both, "n")});
  }
  return table("Agreement of methods",
               {"methods", "top bins shared", "times chance", "p, two-sided", "Spearman", "n"},
               rows) +
         element(
             "p",
             "Means over pairs with 95\u202f% intervals (bootstrap over enhancers). p: the larger "
             "of random sets (exact) and of windows shifted around, two-sided; " +
                 Html(kErrors));
}

}  // namespace cdt
