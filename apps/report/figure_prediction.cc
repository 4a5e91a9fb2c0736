// Predicted against observed, after the paper's Figure 2A.
#include <algorithm>
#include <cmath>

#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "io/text.h"
#include "model/statistics.h"

namespace cdt {
namespace {

constexpr std::size_t kMostPoints = 4000;  // more only make the page heavy

struct Line {
  double slope = 0, intercept = 0;
};

/// Least squares of y on x; NaN where x is constant.
Line least_squares(const std::vector<std::vector<double>>& points) {
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

/// Every k-th point, so that at most kMostPoints are left.
std::vector<std::vector<double>> thinned(const std::vector<std::vector<double>>& points) {
  const std::size_t step = (points.size() + kMostPoints - 1) / kMostPoints;
  std::vector<std::vector<double>> out;
  for (std::size_t i = 0; i < points.size(); i += step) out.push_back(points[i]);
  return out;
}

void describe(Plot& plot, const std::vector<std::vector<double>>& points, const Line& line) {
  const Extent observed = Extent().add(points, 0);
  const Extent predicted = Extent().add(points, 1);
  plot.run("set grid xtics ytics linetype 1 linecolor " + rgb(Ink::kGrid));
  plot.run("set xlabel 'observed effect, beta'").run("set ylabel 'predicted effect'");
  plot.axis("x", observed, {.most_ticks = plot.canvas().narrow ? 5.0 : 10.0, .margin = 0.02});
  plot.axis("y", predicted, {.margin = 0.04});
  std::string command = "plot " + plot.data(points) +
                        " using 1:2 with points pointtype 7 pointsize 0.45 linecolor " +
                        rgb(Ink::kBlue, 0.45);
  // Over the axis, so that equality is seen where all effects are equal too.
  const AxisRange across = axis_range(observed, {});
  const auto add_line = [&](double slope, double intercept, const std::string& style) {
    const std::string ends = plot.data({{across.low, slope * across.low + intercept},
                                        {across.high, slope * across.high + intercept}});
    command.append(", ").append(ends).append(" with lines ").append(style);
  };
  if (!observed.empty()) {
    add_line(1.0, 0.0, "dashtype (6,4) linewidth 1.2 linecolor " + rgb(Ink::kMuted));
    if (std::isfinite(line.slope)) {
      add_line(line.slope, line.intercept, "linewidth 2 linecolor " + rgb(Ink::kOrange));
    }
  }
  plot.run(command);
}

}  // namespace

Item prediction_figure(const Gnuplot& gnuplot, const Material& material) {
  const Html title = "Predicted against observed effects";
  if (!material.evaluated) {
    return Omission{title, "The run has no model.safetensors yet.", material.run.command};
  }
  const Evaluated& evaluated = *material.evaluated;
  std::vector<std::vector<double>> points;
  for (std::size_t i = 0; i < evaluated.pairs.size(); ++i) {
    points.push_back({double{evaluated.pairs[i].beta}, double{evaluated.predictions[i]}});
  }
  const std::vector<std::vector<double>> drawn = thinned(points);
  const Line line = least_squares(points);
  const Metrics& m = evaluated.evaluation.model.metrics;
  Figure figure;
  figure.title = title;
  figure.picture = draw_both(gnuplot, "Scatter of predicted against observed effects", {430, 330},
                             [&](Plot& plot) { describe(plot, drawn, line); });
  figure.legend = {{Ink::kBlue, "dot", "an enhancer-gene pair of " + evaluated.evaluation.split},
                   {Ink::kMuted, "dashes", "equality"}};
  if (std::isfinite(line.slope)) {
    figure.legend.push_back({Ink::kOrange, "line", "least-squares line of predicted on observed"});
  }
  figure.reading =
      "Each dot is a pair; a perfect model puts all of them on the dashed line, and a line flatter "
      "than it means that large effects are predicted too small.";
  const std::string no_r = why_no_r(evaluated.evaluation, evaluated.evaluation.model);
  figure.finding = no_r.empty()
                       ? "r = " + Html(fixed(m.pearson, 3)) + ", p = " + p_value(m.pearson_p)
                       : Html("r is undefined: " + no_r);
  figure.finding += ", n = " + count_text(m.n);
  figure.finding += std::isfinite(line.slope) ? "; slope of the line " + fixed(line.slope, 2) + "."
                                              : "; no line, as the observed effects are all equal.";
  if (drawn.size() < points.size()) {
    figure.finding += " " + counted(static_cast<std::int64_t>(drawn.size()), "pair") +
                      " are drawn, evenly chosen; the numbers are from all.";
  }
  figure.command = evaluated.command;
  return figure;
}

}  // namespace cdt
