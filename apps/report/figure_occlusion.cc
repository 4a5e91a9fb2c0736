// What taking a bin away does to the prediction, against what the gradient says of the bin.
#include <algorithm>
#include <cmath>

#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "io/text.h"
#include "model/statistics.h"

namespace cdt {
namespace {

constexpr std::size_t kMostPoints = 3000;

struct Comparison {
  std::vector<std::vector<double>>
      points;                        // gradient and |occlusion| of a bin, times the pair's mean
  std::vector<double> correlations;  // Spearman, per pair
};

/// Scores in units of their mean; empty if they are all zero.
std::vector<double> relative(const std::vector<float>& profile) {
  double sum = 0;
  for (const float score : profile) sum += score;
  std::vector<double> out;
  if (!(sum > 0)) return out;
  for (const float score : profile)
    out.push_back(score * static_cast<double>(profile.size()) / sum);
  return out;
}

Comparison compare(const Attribution& attribution, std::int64_t bins) {
  Comparison out;
  const auto pairs = static_cast<std::int64_t>(attribution.pairs.size());
  const auto all = static_cast<std::size_t>(pairs * bins);
  const std::size_t step = (all + kMostPoints - 1) / kMostPoints;
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    const std::vector<double> g = relative(attribution.find("gradient")->profile(pair));
    const std::vector<double> o = relative(attribution.find("occlusion")->profile(pair));
    if (g.empty() || o.empty()) continue;
    out.correlations.push_back(pearson(average_ranks(g), average_ranks(o)));
    for (std::size_t bin = 0; bin < g.size(); ++bin) {
      const std::size_t index = static_cast<std::size_t>(pair * bins) + bin;
      if (index % step == 0 && g[bin] > 0 && o[bin] > 0) out.points.push_back({g[bin], o[bin]});
    }
  }
  std::erase_if(out.correlations, [](double r) { return std::isnan(r); });
  std::sort(out.correlations.begin(), out.correlations.end());
  return out;
}

void describe(Plot& plot, const Comparison& comparison) {
  plot.run("set logscale xy").run("set grid xtics ytics linetype 1 linecolor " + rgb(Ink::kGrid));
  plot.run("set format x '%g'").run("set format y '%g'");
  plot.run("set xlabel 'gradient, times its mean over bins'")
      .run("set ylabel '|occlusion|, times its mean'");
  plot.run("set lmargin 10").run("set rmargin 2").run("set tmargin 1");
  const std::string data = plot.data(comparison.points);
  plot.run("plot " + data + " using 1:2 with points pointtype 7 pointsize 0.4 linecolor " +
           rgb(Ink::kTeal, 0.4) + ", x with lines dashtype (6,4) linewidth 1.2 linecolor " +
           rgb(Ink::kMuted));
}

}  // namespace

Item occlusion_figure(const Gnuplot& gnuplot, const Material& material) {
  const Html title = "Does the gradient foretell what taking a bin away does?";
  const std::string command = attribute_command(material, "methods", "occlusion");
  if (!material.attribution) return Omission{title, "No attribution was given.", command};
  if (material.attribution->find("occlusion") == nullptr) {
    return Omission{title, "The attribution holds no occlusion.", command};
  }
  const Comparison comparison = compare(*material.attribution, material.data.bins);
  if (comparison.points.empty()) return Omission{title, "All scores are zero.", ""};
  Figure figure;
  figure.title = title;
  figure.picture =
      draw_both(gnuplot, "Scatter of the effect of occlusion against the gradient, by bin",
                {380, 300}, [&](Plot& plot) { describe(plot, comparison); });
  figure.legend = {{Ink::kTeal, "dot", "a bin of a pair"}, {Ink::kMuted, "dashes", "proportional"}};
  figure.reading =
      "Occlusion replaces a bin and runs the model again, so it is what the model really does; "
      "dots along the "
      "dashed line mean that the gradient, which only looks at small changes, can be believed.";
  figure.finding = "Spearman correlation over the bins of a pair: median " +
                   Html(fixed(quantile_of_sorted(comparison.correlations, 0.5), 2)) +
                   ", middle half " + fixed(quantile_of_sorted(comparison.correlations, 0.25), 2) +
                   " to " + fixed(quantile_of_sorted(comparison.correlations, 0.75), 2) + ", " +
                   counted(static_cast<std::int64_t>(comparison.correlations.size()), "pair") + ".";
  figure.command = attribute_command(material);
  return figure;
}

}  // namespace cdt
