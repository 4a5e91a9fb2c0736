#include "apps/report/summary_tables.h"

#include <cmath>
#include <string>
#include <vector>

#include "apps/report/numerals.h"

namespace cdt {
namespace {

constexpr const char* kErrors =
    "\u00b1 is its Monte Carlo error, \u2264 stands where no replicate was as extreme, and an "
    "exact p "
    "has neither.";

Html p_of(const NullTest& first, const NullTest& second) {
  return p_value(weaker_test(first, second).resampled());
}

/// How far the scores of SmoothGrad are from what more samples would give; empty if it did not run.
Html smoothing(const AttributionSummary& summary) {
  const MethodSummary* smoothgrad = summary.method("smoothgrad");
  if (smoothgrad == nullptr || !smoothgrad->monte_carlo_error.value_or(std::nullopt)) return {};
  const MonteCarloError& error = **smoothgrad->monte_carlo_error;
  return element("p", "Monte Carlo error of smoothgrad, of " +
                          counted(smoothgrad->samples.value_or(0), "sample") + ": " +
                          percent(error.mean, 2) + " of a pair\u2019s scores on average, " +
                          percent(error.largest, 2) +
                          " at most (norms over the window, from two halves of the samples).");
}

/// How nearly the scores of integrated gradients add up to what they claim to; empty if they did
/// not run.
Html completeness(const AttributionSummary& summary) {
  if (!summary.completeness || !std::isfinite(summary.completeness->error_mean)) return {};
  const CompletenessSummary& c = *summary.completeness;
  Html out =
      "Completeness of integrated gradients: a pair\u2019s scores miss the change of its "
      "prediction from the baseline (" +
      c.baseline + ") by " + percent(c.error_mean, 2) + " of it on average, " +
      percent(c.error_largest, 2) + " at most.";
  const std::string gate = percent(c.gate, 0);
  if (c.incomplete_pairs > 0) {
    out += " " + counted(c.incomplete_pairs, "pair") + " beyond the gate of " + gate + ".";
  }
  if (c.at_resolution_pairs > 0) {
    out += " " + counted(c.at_resolution_pairs, "pair") + " beyond " + gate +
           " by no more than rounding of the predictions can make.";
  }
  return element("p", out);
}

}  // namespace

Html method_table(const Attribution& attribution) {
  std::vector<std::vector<Html>> rows;
  for (const MethodWindows& method : attribution.methods) {
    const MethodSummary& m = *attribution.summary.method(method.name);
    rows.push_back({method.name, with_interval(m.distance_mean_bp, 1, 1e-3),
                    p_of(m.uniform.distance_mean_bp, m.shifted.distance_mean_bp),
                    with_interval(m.edge_share, 1, 100.0),
                    p_of(m.uniform.edge_share, m.shifted.edge_share),
                    with_interval(m.effective_bins, 1), with_interval(m.peak_over_uniform, 2),
                    count_text(m.n)});
  }
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
         completeness(attribution.summary) + smoothing(attribution.summary);
}

Html agreement_table(const Attribution& attribution) {
  std::vector<std::vector<Html>> rows;
  for (const Agreement& both : attribution.summary.agreement) {
    rows.push_back({both.first + ", " + both.second, with_interval(both.overlap, 2),
                    fixed(both.fold, 2), p_of(both.hypergeometric, both.shifted),
                    with_interval(both.spearman, 2), count_text(both.n)});
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
