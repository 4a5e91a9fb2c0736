// Top bins shared by attention and gradient, like the paper's Figure 4A, with the nulls.
#include <algorithm>
#include <cmath>

#include "apps/report/attribution_claims.h"
#include "apps/report/figures.h"
#include "apps/report/nulls.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "model/stats/peak_tests.h"
#include "model/stats/profile.h"

namespace cdt {
namespace {

struct Overlaps {
  std::int64_t top = 0;
  double mean = 0;
  /// Per number of shared bins: that number, pairs, expected pairs for random sets, expected pairs
  /// under circular shifts.
  Rows rows;
};

Overlaps count_overlaps(const Attribution& attribution, const DefinedPairs& defined,
                        std::int64_t bins) {
  Overlaps out;
  out.top = std::min(kTopBins, bins);
  const auto pairs = static_cast<double>(defined.pairs.size());
  const std::vector<double> random = overlap_probabilities(out.top, bins);
  for (std::size_t shared = 0; shared < random.size(); ++shared) {
    out.rows.push_back({static_cast<double>(shared), 0.0, pairs * random[shared], 0.0});
  }
  const MethodWindows& attention = *attribution.find("attention");
  const MethodWindows& gradient = *attribution.find("gradient");
  for (const AttributedPair* pair : defined.pairs) {
    const std::vector<std::int64_t> a = top_bins(attention.profile(*pair), out.top);
    const std::vector<std::int64_t> g = top_bins(gradient.profile(*pair), out.top);
    const std::int64_t shared = overlap(a, g);
    ++out.rows[static_cast<std::size_t>(shared)][1];
    out.mean += static_cast<double>(shared) / pairs;
    const std::vector<double> shifted = shifted_overlap(a, g, bins);
    for (std::size_t s = 0; s < shifted.size(); ++s) out.rows[s][3] += shifted[s];
  }
  return out;
}

/// Mean of a column of expected pairs.
double mean_of_column(const Overlaps& overlaps, std::size_t column) {
  double sum = 0;
  double all = 0;
  for (const std::vector<double>& row : overlaps.rows) {
    sum += row[0] * row[column];
    all += row[column];
  }
  return sum / all;
}

void describe(Plot& plot, const Overlaps& overlaps) {
  const std::string data = plot.data(overlaps.rows);
  plot.margins(10, 2, 1);
  plot.label("x", "bins shared by the two top " + std::to_string(overlaps.top)).label("y", "pairs");
  plot.axis("x", {-0.6, static_cast<double>(overlaps.top) + 0.6},
            {.most_ticks = plot.canvas().narrow ? 5.0 : 11.0, .integers = true});
  Extent pairs;
  for (const std::size_t column : {1U, 2U, 3U}) pairs.add(overlaps.rows, column);
  plot.axis("y", pairs, {.integers = true, .from_zero = true, .to_ticks = true});
  plot.draw(
      {data + " using 1:2:(0.8) with boxes fillcolor " + rgb(Ink::kPurple, 0.75),
       data + " using 1:3 with linespoints pointtype 7 pointsize 0.5 linewidth 1.5 linecolor " +
           rgb(Ink::kMuted),
       data + " using 1:4 with lines linewidth 2 dashtype (6,4) linecolor " + rgb(Ink::kText)});
}

/// One row per pair of methods: shared top bins and correlation.
Html agreement_table(const Attribution& attribution) {
  std::vector<std::vector<Html>> rows;
  for (const Agreement& both : attribution.summary.agreement) {
    rows.push_back({both.first + ", " + both.second, with_interval(both.overlap, 2),
                    fixed(both.fold, 2), weaker_p(both.hypergeometric, both.shifted),
                    with_interval(both.spearman, 2), count_text(both.n)});
  }
  return table("Agreement of methods",
               {"methods", "top bins shared", "times chance", "p, two-sided", "Spearman", "n"},
               rows) +
         element("p",
                 "Means over pairs with 95\u202f% intervals (bootstrap over enhancers). p: "
                 "two-sided, the larger of two tests, random sets (exact) and shifted windows; " +
                     Html(kHowPIsWritten));
}

}  // namespace

Item overlap_figure(const Gnuplot& gnuplot, const Material& material) {
  const DefinedPairs defined = defined_pairs(*material.attribution, {"attention", "gradient"});
  if (defined.pairs.empty()) {
    return Omission{"No pair has a peak of both: " + n_text(defined) + "."};
  }
  if (all_are_top(material.data.bins)) return Omission{all_top_text(material.data.bins)};
  const Overlaps overlaps = count_overlaps(*material.attribution, defined, material.data.bins);
  const double random = mean_of_column(overlaps, 2);
  const double shifted = mean_of_column(overlaps, 3);
  Figure figure;
  figure.picture =
      draw_both(gnuplot, "Histogram of the number of top bins that attention and gradient share",
                {300, 280}, [&](Plot& plot) { describe(plot, overlaps); });
  figure.legend = {
      {Ink::kPurple, "area", "pairs"},
      {Ink::kMuted, "line", "expected for two random sets (hypergeometric)"},
      {Ink::kText, "dashes", "expected if one window is shifted around, mean over all shifts"}};
  figure.reading =
      "Where the bars are higher than both lines on the right, and lower on the left, more pairs "
      "share many bins than expected. The tests under \u201cThe numbers\u201d tell whether that is "
      "more than chance.";
  figure.of_positions = true;
  figure.finding =
      "Mean " + Html(fixed(overlaps.mean, 2)) + " of " + std::to_string(overlaps.top) +
      " shared, " + fixed(random, 2) + " expected for random sets (" +
      fixed(overlaps.mean / random, 1) + " times as many), " + fixed(shifted, 2) +
      " under shifts; " + n_text(defined) + "." +
      agreement_claim(read_shared_tops(*material.attribution, "attention", "gradient"));
  figure.details = agreement_table(*material.attribution);
  return figure;
}

}  // namespace cdt
