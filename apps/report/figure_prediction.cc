// Predicted against observed effects, like the paper's Figure 2A.
#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::size_t kMostPoints = 4000;  // more would only make the page large

struct Line {
  double slope = 0, intercept = 0;
};

/// Least-squares line of y on x; NaN if x is constant.
Line least_squares(const Rows& points) {
  const Extent xs = Extent().add(points, 0);
  if (xs.empty() || xs.low() == xs.high()) return {std::nan(""), std::nan("")};
  double n = 0;
  double sx = 0;
  double sy = 0;
  for (const auto& p : points) {
    ++n;
    sx += p[0];
    sy += p[1];
  }
  double sxx = 0;
  double sxy = 0;
  for (const auto& p : points) {
    sxx += (p[0] - sx / n) * (p[0] - sx / n);
    sxy += (p[0] - sx / n) * (p[1] - sy / n);
  }
  const double slope = sxy / sxx;
  return {slope, sy / n - slope * sx / n};
}

/// The points and what the axes must show.
struct Cloud {
  bool ranks = false;  // Evaluation::ranks
  Rows points;         // {observed, predicted}
  Extent observed, predicted;
  AxisRange across, up;
};

Cloud make_cloud(Rows points, bool ranks) {
  Cloud out;
  out.ranks = ranks;
  out.observed.add(points, 0);
  out.predicted.add(points, 1);
  out.across = axis_range(out.observed, {});
  out.up = axis_range(out.predicted, {});
  out.points = std::move(points);
  return out;
}

/// End points of the visible part of the line of equality; nothing if none is visible, or if
/// predictions and effects have different units.
Rows equality(const Cloud& cloud) {
  if (cloud.ranks) return {};
  const double low = std::max(cloud.across.low, cloud.up.low);
  const double high = std::min(cloud.across.high, cloud.up.high);
  if (!(low < high)) return {};
  return {{low, low}, {high, high}};
}

void describe(Plot& plot, const Cloud& cloud, const Line& line) {
  plot.grid("xtics ytics")
      .label("x", "observed effect, beta")
      .label("y", cloud.ranks ? "predicted score" : "predicted effect");
  plot.axis("x", cloud.observed, {.most_ticks = plot.canvas().narrow ? 5.0 : 10.0, .margin = 0.02});
  plot.axis("y", cloud.predicted, {.margin = 0.04});
  std::vector<std::string> layers{Plot::points(plot.data(cloud.points), 0.45, Ink::kBlue, 0.45)};
  const auto add_line = [&](const Rows& ends, const std::string& style) {
    layers.push_back(plot.data(ends) + " with lines " + style);
  };
  if (!equality(cloud).empty()) {
    add_line(equality(cloud), "dashtype (6,4) linewidth 1.2 linecolor " + rgb(Ink::kMuted));
  }
  if (std::isfinite(line.slope)) {
    const auto on_line = [&](double x) {
      return std::vector<double>{x, line.slope * x + line.intercept};
    };
    add_line({on_line(cloud.observed.low()), on_line(cloud.observed.high())},
             "linewidth 2 linecolor " + rgb(Ink::kOrange));
  }
  plot.draw(layers);
}

}  // namespace

Item prediction_figure(const Gnuplot& gnuplot, const Material& material) {
  const Evaluated& evaluated = *material.evaluated;
  Rows points;
  for (std::size_t i = 0; i < evaluated.pairs.size(); ++i) {
    points.push_back({double{evaluated.pairs[i].beta}, double{evaluated.predictions[i]}});
  }
  const Cloud drawn = make_cloud(thinned(points, kMostPoints), evaluated.evaluation.ranks);
  const Line line = least_squares(points);
  const Metrics& m = evaluated.evaluation.model.metrics;
  Figure figure;
  figure.picture = draw_both(gnuplot, "Scatter of predicted against observed effects", {430, 330},
                             [&](Plot& plot) { describe(plot, drawn, line); });
  figure.legend = {{Ink::kBlue, "dot", "an enhancer-gene pair of " + evaluated.evaluation.split}};
  if (drawn.ranks) {
    figure.note = "The model predicts scores of ranks, so there is no line of equality.";
  } else if (equality(drawn).empty()) {
    figure.note = "The line of equality is outside the picture.";
  } else {
    figure.legend.push_back({Ink::kMuted, "dashes", "equality"});
  }
  if (std::isfinite(line.slope)) {
    figure.legend.push_back({Ink::kOrange, "line", "least-squares line of predicted on observed"});
  }
  figure.reading = drawn.ranks
                       ? "Each dot is a pair. A perfect model of effects without noise puts all "
                         "dots on one rising curve."
                       : "Each dot is a pair. A perfect model of effects without noise puts all "
                         "dots on the dashed line; noise alone makes the fitted line flatter.";
  const std::string no_r = why_no_r(evaluated.evaluation.model);
  figure.finding =
      no_r.empty() ? "r = " + Html(fixed(m.pearson, 3)) + ", two-sided p = " + p_value(m.pearson_p)
                   : Html("r is undefined: " + no_r);
  figure.finding += ", n = " + count_text(m.n);
  figure.finding += std::isfinite(line.slope) ? "; slope of the line " + fixed(line.slope, 2) + "."
                                              : "; no least-squares line.";
  if (drawn.points.size() < points.size()) {
    figure.finding += " " + counted(static_cast<std::int64_t>(drawn.points.size()), "pair") +
                      " are drawn, evenly sampled; the numbers are from all pairs.";
  }
  return figure;
}

}  // namespace cdt
