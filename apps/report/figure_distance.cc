// Positions of the peaks within the window, like the paper's Figure 3, with the null that it lacks.
#include <algorithm>
#include <cmath>
#include <map>

#include "apps/report/figures.h"
#include "apps/report/nulls.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "model/stats/profile.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kCells = 30;  // as in the paper's histogram

/// One method's peaks and their histogram. Each row: left and right edge in kb, count, expected
/// count, and its 95 % band.
struct PeakHistogram {
  Rows cells;
  double mean_kb = 0, near_share = 0;
  std::int64_t outside = 0;  // cells outside their band
};

PeakGroups peaks_by_enhancer(const DefinedPairs& defined, const MethodWindows& method) {
  std::map<std::int32_t, std::vector<std::int64_t>> by_enhancer;
  for (const AttributedPair* pair : defined.pairs) {
    by_enhancer[pair->enhancer].push_back(peak_bin(method.profile(*pair)));
  }
  PeakGroups groups;
  for (auto& [enhancer, peaks] : by_enhancer) groups.push_back(std::move(peaks));
  return groups;
}

PeakHistogram make_histogram(const PeakGroups& groups, const Dataset& data) {
  const std::int64_t width = (data.bins + kCells - 1) / kCells;
  PeakHistogram out;
  std::vector<double> counts(static_cast<std::size_t>((data.bins + width - 1) / width));
  std::vector<double> distances;
  for (const std::vector<std::int64_t>& peaks : groups) {
    for (const std::int64_t peak : peaks) {
      ++counts[static_cast<std::size_t>(peak / width)];
      distances.push_back(std::fabs(static_cast<double>(offset_bp(peak, data.bins, data.bin_bp))));
    }
  }
  const NullCount full = shifted_count(groups, data.bins, width);
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    const std::int64_t begin = static_cast<std::int64_t>(cell) * width;
    const std::int64_t end = std::min(begin + width, data.bins);
    const NullCount null =
        end - begin == width ? full : shifted_count(groups, data.bins, end - begin);
    const double low = std::max(0.0, null.mean - kTwoSided95 * null.sd);
    const double high = null.mean + kTwoSided95 * null.sd;
    out.cells.push_back(
        {offset_kb(data, begin), offset_kb(data, end), counts[cell], null.mean, low, high});
    out.outside += counts[cell] < low || counts[cell] > high ? 1 : 0;
  }
  out.mean_kb = mean(distances) / 1e3;
  const auto near =
      std::count_if(distances.begin(), distances.end(), [](double d) { return d <= kNearBp; });
  out.near_share = static_cast<double>(near) / static_cast<double>(distances.size());
  return out;
}

void panel(Plot& plot, const PeakHistogram& histogram, const std::string& title, Ink ink) {
  const std::string data = plot.data(histogram.cells);
  plot.run("set title '" + plain(title) + "' offset 0,-0.6 textcolor " + rgb(Ink::kText));
  plot.axis("x", {histogram.cells.front()[0], histogram.cells.back()[1]}, {.most_ticks = 7.0});
  plot.axis("y", Extent().add(histogram.cells, 2).add(histogram.cells, 5),
            {.integers = true, .from_zero = true, .to_ticks = true});
  const std::string middle = "(($1+$2)/2)";
  plot.draw(
      {data + " using " + middle + ":4:1:2:5:6 with boxxyerror fillcolor " + rgb(Ink::kNull, 0.35),
       data + " using " + middle + ":3:(($2-$1)*0.8) with boxes fillcolor " + rgb(ink, 0.85),
       data + " using 1:4:($2-$1):(0) with vectors nohead linewidth 1.5 linecolor " +
           rgb(Ink::kText)});
}

Html method_finding(const char* name, const PeakHistogram& h, const RandomPeaks& random,
                    const DefinedPairs& defined) {
  if (defined.pairs.empty()) return Html(name) + ": no peak, " + n_text(defined) + ". ";
  Html out = Html(name) + ": mean distance " + fixed(h.mean_kb, 1) + "\u202fkb (a random bin " +
             fixed(random.distance_mean_bp / 1e3, 1) + "), ";
  if (random.share_near < 1.0) {
    out += percent(h.near_share) + " within 50\u202fkb (" + percent(random.share_near) + "), ";
  }
  return out + std::to_string(h.outside) + " of " +
         counted(static_cast<std::int64_t>(h.cells.size()), "cell") + " outside the band, " +
         n_text(defined) + ". ";
}

/// How much the scores of SmoothGrad would change with more samples; empty if it did not run.
Html smoothing(const AttributionSummary& summary) {
  const MethodSummary* smoothgrad = summary.method("smoothgrad");
  if (smoothgrad == nullptr || !smoothgrad->monte_carlo_error.value_or(std::nullopt)) return {};
  const MeanLargest& error = **smoothgrad->monte_carlo_error;
  return element("p", "Monte Carlo error of smoothgrad, of " +
                          counted(smoothgrad->samples.value_or(0), "sample") + ": " +
                          percent(error.mean, 2) + " of a pair\u2019s scores on average, " +
                          percent(error.largest, 2) +
                          " at most (norms over the window, from two halves of the samples).");
}

/// How completely the scores of integrated gradients add up; empty if they did not run.
Html completeness(const AttributionSummary& summary) {
  if (!summary.completeness || !std::isfinite(summary.completeness->error.mean)) return {};
  const CompletenessSummary& c = *summary.completeness;
  Html out =
      "Completeness of integrated gradients: the sum of a pair\u2019s scores differs from the "
      "change of its prediction from the baseline (" +
      c.baseline + ") by " + percent(c.error.mean, 2) + " of that change on average, " +
      percent(c.error.largest, 2) + " at most.";
  const std::string gate = percent(c.gate, 0);
  if (c.incomplete_pairs > 0) {
    out += " " + counted(c.incomplete_pairs, "pair") + " above the limit of " + gate + ".";
  }
  if (c.at_resolution_pairs > 0) {
    out += " " + counted(c.at_resolution_pairs, "pair") + " beyond " + gate +
           ", but by no more than the rounding of predictions can explain.";
  }
  return element("p", out);
}

/// One row per method: where its peaks are and how sharp it is, with intervals and p.
Html method_table(const Attribution& attribution) {
  std::vector<std::vector<Html>> rows;
  for (const MethodWindows& method : attribution.methods) {
    const MethodSummary& m = *attribution.summary.method(method.name);
    rows.push_back({method.name, with_interval(m.distance_mean_bp, 1, 1e-3),
                    weaker_p(m.uniform.distance_mean_bp, m.shifted.distance_mean_bp),
                    with_interval(m.edge_share, 1, 100.0),
                    weaker_p(m.uniform.edge_share, m.shifted.edge_share),
                    with_interval(m.effective_bins, 1), with_interval(m.peak_over_uniform, 2),
                    count_text(m.n)});
  }
  return table("Methods",
               {"method", "mean distance of peak from centre, kb", "p, two-sided",
                "peak at the edge, %", "p, two-sided", "effective bins", "peak over uniform", "n"},
               rows) +
         element("p",
                 "Brackets: 95\u202f% intervals (bootstrap over enhancers). p: two-sided, the "
                 "larger of two tests, peaks in random bins and shifted windows; " +
                     Html(kHowPIsWritten) +
                     " The edge is the outer 5\u202f% of the window; effective bins are exp of the "
                     "entropy.") +
         completeness(attribution.summary) + smoothing(attribution.summary);
}

}  // namespace

Item distance_figure(const Gnuplot& gnuplot, const Material& material) {
  const Attribution& attribution = *material.attribution;
  const DefinedPairs of_attention = defined_pairs(attribution, {"attention"});
  const DefinedPairs of_gradient = defined_pairs(attribution, {"gradient"});
  if (of_attention.pairs.empty() && of_gradient.pairs.empty()) {
    return Omission{"No window has a peak. Attention: " + n_text(of_attention) +
                    ". Gradient: " + n_text(of_gradient) + "."};
  }
  const PeakHistogram attention = make_histogram(
      peaks_by_enhancer(of_attention, *attribution.find("attention")), material.data);
  const PeakHistogram gradient =
      make_histogram(peaks_by_enhancer(of_gradient, *attribution.find("gradient")), material.data);
  const RandomPeaks random =
      random_peaks(material.data.bins, material.data.bin_bp, kTopBins, kNearBp);
  Figure figure;
  figure.picture = draw_both(
      gnuplot, "Histograms of peak offsets from the enhancer's centre, with the null band",
      {300, 500}, [&](Plot& plot) {
        plot.run(plot.canvas().narrow ? "set multiplot layout 2,1" : "set multiplot layout 1,2");
        plot.label("x", "peak, kb from the centre").label("y", "pairs").margins(10, 2, 2);
        panel(plot, attention, "attention", Ink::kBlue);
        panel(plot, gradient, "gradient", Ink::kOrange);
        plot.run("unset multiplot");
      });
  figure.legend = {{Ink::kBlue, "area", "attention peaks"},
                   {Ink::kOrange, "area", "gradient peaks"},
                   {Ink::kNull, "area",
                    "95\u202f% of counts if each enhancer\u2019s peaks are shifted around the "
                    "window together, at random"},
                   {Ink::kText, "line", "their mean"}};
  figure.reading =
      "Bars inside the grey band are what peaks at random positions give, whatever their mean "
      "distance; by chance one cell in twenty is outside the band.";
  figure.of_positions = true;
  figure.finding = method_finding("Attention", attention, random, of_attention) +
                   method_finding("Gradient", gradient, random, of_gradient);
  figure.details = method_table(attribution);
  return figure;
}

}  // namespace cdt
