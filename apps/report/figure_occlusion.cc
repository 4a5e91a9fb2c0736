// Effect of occluding bins on the prediction, against the gradient.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "apps/report/attribution_claims.h"
#include "apps/report/figures.h"
#include "apps/report/nulls.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "model/stats/range_effects.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::size_t kMostPoints = 3000;

struct Comparison {
  /// Per whole range of bins: gradient and |effect of occlusion|, each relative to its mean in the
  /// pair.
  Rows points;
  std::size_t ranges = 0;            // ranges from which the points were evenly chosen
  std::vector<double> correlations;  // Spearman, per pair, ascending
  double mean = 0;                   // of the correlations
  double shifted_sd = 0;             // of the mean, under circular shifts
};

/// Values over their mean, which must not be 0.
std::vector<double> relative(std::vector<double> values) {
  const double average = mean(values);
  for (double& value : values) value /= average;
  return values;
}

/// Compares gradient and occlusion by whole range of `width` bins.
Comparison compare(const Attribution& attribution, const DefinedPairs& defined,
                   std::int64_t width) {
  Comparison out;
  Rows all;
  std::map<std::int32_t, ProfilePairs> ranks;
  for (const AttributedPair* pair : defined.pairs) {
    const RangeEffects ranges = range_effects(attribution.find("gradient")->profile(*pair),
                                              attribution.find("occlusion")->profile(*pair), width);
    const std::vector<double> score_ranks = average_ranks(ranges.scores);
    const std::vector<double> effect_ranks = average_ranks(ranges.effects);
    const double r = pearson(score_ranks, effect_ranks);
    if (!std::isfinite(r)) continue;
    out.correlations.push_back(r);
    ranks[pair->enhancer].scores.push_back(score_ranks);
    ranks[pair->enhancer].effects.push_back(effect_ranks);
    const std::vector<double> g = relative(ranges.scores);
    const std::vector<double> o = relative(ranges.effects);
    for (std::size_t i = 0; i < g.size(); ++i) {
      if (g[i] > 0 && o[i] > 0) all.push_back({g[i], o[i]});
    }
  }
  out.ranges = all.size();
  out.points = thinned(all, kMostPoints);
  std::vector<ProfilePairs> enhancers;
  for (auto& [enhancer, profiles] : ranks) enhancers.push_back(std::move(profiles));
  out.shifted_sd = shifted_correlation_sd(enhancers);
  out.mean = mean(out.correlations);
  std::sort(out.correlations.begin(), out.correlations.end());
  return out;
}

void describe(Plot& plot, const Comparison& comparison) {
  plot.grid("xtics ytics").margins(11, 2, 1);
  plot.run("set format x '%g'").run("set format y '%g'");
  plot.label("x", "gradient, relative to its mean").label("y", "|effect|, relative to its mean");
  const Extent gradients = Extent().add(comparison.points, 0);
  const Extent effects = Extent().add(comparison.points, 1);
  plot.axis("x", gradients, {.most_ticks = plot.canvas().narrow ? 4.0 : 8.0, .logarithmic = true});
  plot.axis("y", effects, {.most_ticks = 6.0, .logarithmic = true});
  plot.draw({Plot::points(plot.data(comparison.points), 0.4, Ink::kTeal, 0.4),
             "x with lines dashtype (6,4) linewidth 1.2 linecolor " + rgb(Ink::kMuted)});
}

/// Table of how well each gradient method predicts the effects, from summary.json.
Html correlation_table(const Attribution& attribution) {
  std::vector<std::vector<Html>> rows;
  for (const MethodWindows& method : attribution.methods) {
    const auto* numbers = find_name(attribution.summary.effects->methods, method.name);
    if (numbers == nullptr) continue;
    rows.push_back({method.name, method.is_signed ? "effect" : "|effect|",
                    with_interval(numbers->pearson_mean, 2), fixed(numbers->pearson_median, 2),
                    count_text(numbers->pairs)});
  }
  return table("Correlation of scores with effects",
               {"method", "predicts", "Pearson r, mean over pairs", "median", "n"}, rows);
}

Html finding(const Comparison& comparison, std::int64_t bins, const Attribution& attribution) {
  const auto* gradient = find_name(attribution.summary.effects->methods, "gradient");
  const Estimate pearson_mean = gradient == nullptr ? Estimate{} : gradient->pearson_mean;
  const auto correlated = static_cast<std::int64_t>(comparison.correlations.size());
  Html out = "Spearman correlation within a pair, " + Html(counted(bins, "bin")) +
             " at a time: median " + fixed(quantile_of_sorted(comparison.correlations, 0.5), 2) +
             ", middle half " + fixed(quantile_of_sorted(comparison.correlations, 0.25), 2) +
             " to " + fixed(quantile_of_sorted(comparison.correlations, 0.75), 2) + ", " +
             counted(correlated, "pair") + "; mean " + fixed(comparison.mean, 3);
  const double by_chance = kTwoSided95 * comparison.shifted_sd;
  out += by_chance < 1.0 ? ", against 0 \u00b1 " + fixed(by_chance, 3) +
                               " (95\u202f%) for gradients shifted around their windows."
                         : std::string("; with so few ranges any value may arise by chance.");
  out += foretelling_claim({can_conclude(attribution) ? correlated : 0, comparison.mean,
                            comparison.shifted_sd, pearson_mean.interval});
  if (comparison.points.size() < comparison.ranges) {
    out += " " + counted(static_cast<std::int64_t>(comparison.points.size()), "range") + " of " +
           count_text(static_cast<std::int64_t>(comparison.ranges)) + " are drawn, evenly sampled.";
  }
  if (std::isfinite(pearson_mean.value)) {
    out += " Pearson correlation, which the few strongest bins dominate: mean " +
           fixed(pearson_mean.value, 2) + ".";
  }
  return out;
}

}  // namespace

Item occlusion_figure(const Gnuplot& gnuplot, const Material& material) {
  const Attribution& attribution = *material.attribution;
  if (attribution.find("occlusion") == nullptr || !attribution.summary.effects) {
    return Omission{"The attribution holds no occlusion.", true};
  }
  const std::int64_t bins = attribution.summary.effects->bins_at_a_time;
  const std::int64_t ranges = whole_ranges(material.data.bins, bins);
  if (ranges < kLeastRanges) {
    return Omission{"A correlation within a window needs " + std::to_string(kLeastRanges) +
                    " ranges of bins; " + counted(ranges, "range") + " of " + counted(bins, "bin") +
                    (ranges == 1 ? " fits" : " fit") + " into a window of " +
                    std::to_string(material.data.bins) + "."};
  }
  const DefinedPairs defined = defined_pairs(attribution, {"gradient", "occlusion"});
  if (defined.pairs.empty()) {
    return Omission{"No pair has a peak of both: " + n_text(defined) + "."};
  }
  const Comparison comparison = compare(attribution, defined, bins);
  if (comparison.correlations.empty()) {
    return Omission{
        "In no pair can ranges of bins be correlated: all have the same score or the same effect."};
  }
  if (comparison.points.empty()) {
    return Omission{"No range of bins has both a gradient and an effect."};
  }
  Figure figure;
  figure.picture =
      draw_both(gnuplot, "Scatter of the effect of occlusion against the gradient, by range",
                {380, 320}, [&](Plot& plot) { describe(plot, comparison); });
  figure.legend = {{Ink::kTeal, "dot", counted(bins, "bin") + " of a pair"},
                   {Ink::kMuted, "dashes", "proportional"}};
  const bool zeros = attribution.summary.effects->baseline == "zero";
  figure.reading = "Occlusion replaces bins with " + Html(zeros ? "zeros" : "the mean window's") +
                   " and runs the model again, so it shows what the model really does. On the "
                   "dashed line the gradient, which considers only small changes, says the same.";
  figure.note =
      "A horizontal row of dots may be the effect of the replacement itself, whatever the bins "
      "contained.";
  figure.of_positions = true;
  figure.finding = finding(comparison, bins, attribution);
  if (const std::int64_t rest = material.data.bins % bins; rest > 0) {
    const std::string last = rest == 1 ? "bin" : counted(rest, "bin");
    figure.finding += " The last " + last + " of each window, less than a whole range, " +
                      (rest == 1 ? "is" : "are") +
                      " left out: a shorter range has a smaller gradient and a smaller effect "
                      "whatever it contains.";
  }
  if (!defined.left_out.empty()) figure.finding += " Windows with a peak: " + n_text(defined) + ".";
  figure.details = correlation_table(attribution);
  return figure;
}

}  // namespace cdt
