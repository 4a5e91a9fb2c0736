// r of the model beside what a model must beat and what it cannot.
#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/common/format.h"
#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "io/text.h"

namespace cdt {
namespace {

struct ScoreLine {
  const char* label;
  double r;
  Interval interval;
  Ink ink;
};

/// Every r that is defined, a second screen first.
std::vector<ScoreLine> score_lines(const Evaluation& e) {
  std::vector<ScoreLine> out;
  const auto add = [&](const char* label, const Score& s, Ink ink) {
    out.push_back({label, s.metrics.pearson, s.pearson_interval, ink});
  };
  if (e.replicate) {
    out.push_back({"second screen", e.replicate->pearson, e.replicate->interval, Ink::kGreen});
  }
  add("model", e.model, Ink::kBlue);
  if (e.gene_mean) add("gene mean", *e.gene_mean, Ink::kMuted);
  if (e.global_mean) add("global mean", *e.global_mean, Ink::kMuted);
  std::erase_if(out, [](const ScoreLine& s) { return !std::isfinite(s.r); });
  return out;
}

std::vector<Html> score_row(const Html& name, const Score& s) {
  return {name,
          fixed(s.metrics.pearson, 3),
          interval_text(s.pearson_interval, 3),
          p_value(s.metrics.pearson_p),
          fixed(s.metrics.spearman, 3),
          fixed(s.metrics.r2, 3),
          fixed(s.metrics.mse, 4),
          fixed(s.metrics.mae, 4)};
}

Html score_table(const Evaluation& e) {
  std::vector<std::vector<Html>> rows{score_row("model", e.model)};
  if (e.gene_mean) rows.push_back(score_row("gene mean", *e.gene_mean));
  if (e.global_mean) rows.push_back(score_row("global mean", *e.global_mean));
  return table("Scores",
               {"", "r", "95\u202f% interval", "p, two-sided", "Spearman", "R\u00b2", "MSE", "MAE"},
               rows);
}

void describe(Plot& plot, const std::vector<ScoreLine>& lines, double ceiling) {
  Extent scores{0.0, 1.0};
  std::vector<std::string> names;
  for (const ScoreLine& s : lines) {
    scores.add(s.r).add(s.interval.low);
    names.emplace_back(s.label);
  }
  plot.rows(names).run("set lmargin 14").run("set rmargin 3").run("set tmargin 1.5");
  const double low = scores.low();
  plot.axis("x", {low < 0.0 ? low - 0.05 : 0.0, 1.0},
            {.most_ticks = plot.canvas().narrow ? 5.0 : 10.0});
  plot.run(plot.canvas().narrow ? "set xlabel 'Pearson r'"
                                : "set xlabel 'Pearson correlation with the measured effect'");
  if (std::isfinite(ceiling)) {
    plot.run("set arrow from " + format_number(ceiling) + ", graph 0 to " + format_number(ceiling) +
             ", graph 1 nohead linewidth 2 linecolor " + rgb(Ink::kGreen));
  }
  std::string command;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const ScoreLine& s = lines[i];
    command += (i == 0 ? "plot " : ", ") +
               plot.dots({{s.r, -static_cast<double>(i), s.interval.low, s.interval.high}}, s.ink);
  }
  plot.run(command);
}

Html replicate_finding(const Replicate& r) {
  Html out = " A second screen (" + r.source +
             ") agrees with this one with r = " + with_interval(r.pearson, r.interval, 3) +
             " over " + counted(r.pairs, "pair") + "; the model\u2019s r there is " +
             fixed(r.model_pearson, 3);
  if (!(r.pearson > 0)) return out + ".";
  return out + ", " + percent(r.share()) +
         " of that. If the noise of both screens is alike, effects without noise would reach the "
         "square root, " +
         fixed(std::sqrt(r.pearson), 3) + ", of which the model has " + percent(r.corrected()) +
         ".";
}

Html finding(const Evaluation& e) {
  if (!e.gene_mean) return "There are no training pairs to fit a baseline on.";
  for (const auto& [name, score] :
       {std::pair("The model", &e.model), std::pair("The mean per gene", &*e.gene_mean)}) {
    const std::string reason = why_no_r(e, *score);
    if (!reason.empty()) {
      return Html(name) + " has no r to compare: " + reason + ".";
    }
  }
  const double gain = e.model.metrics.pearson - e.gene_mean->metrics.pearson;
  Html out = "Knowing nothing but the gene, r is " + fixed(e.gene_mean->metrics.pearson, 3) +
             ". The model gains " + fixed(gain, 3) + " over that";
  const Interval& interval = e.gain_interval;
  if (!is_defined(interval)) return out + "; " + why_no_interval(e) + ".";
  out += ", 95\u202f% interval " + interval_text(interval, 3) + ". ";
  if (interval.low > 0.0) return out + "The interval lies above 0: DNA adds something.";
  return out + (interval.high < 0.0
                    ? "The interval lies below 0: the model is worse than the mean per gene."
                    : "The interval includes 0: nothing here shows that the model uses DNA.");
}

}  // namespace

Item score_figure(const Gnuplot& gnuplot, const Material& material) {
  const Html title = "The model, its baselines and its ceiling";
  if (!material.evaluated) {
    return Omission{title, "The run has no model.safetensors yet.", material.run.command};
  }
  const Evaluation& e = material.evaluated->evaluation;
  const std::vector<ScoreLine> lines = score_lines(e);
  if (lines.empty()) {
    return Omission{title, "The model has no correlation: " + why_no_r(e, e.model) + ".", ""};
  }
  const int height = 80 + 34 * static_cast<int>(lines.size());
  Figure figure;
  figure.title = title;
  figure.picture =
      draw_both(gnuplot, "Pearson correlation of the model and its baselines, with intervals",
                {height, height + 10}, [&](Plot& plot) { describe(plot, lines, e.noise_ceiling); });
  figure.legend = {{Ink::kBlue, "dot", "r with its 95\u202f% interval (bootstrap over enhancers)"}};
  if (e.replicate) {
    figure.legend.push_back({Ink::kGreen, "dot", "r of a second, noisy measurement"});
  }
  if (std::isfinite(e.noise_ceiling)) {
    figure.legend.push_back({Ink::kGreen, "line", "noise ceiling, " + fixed(e.noise_ceiling, 3)});
  }
  figure.reading =
      "Further right is better; where two intervals do not overlap, the two differ by more than "
      "chance.";
  if (!is_defined(e.model.pearson_interval)) {
    figure.reading += " No interval is drawn: " + why_no_interval(e) + ".";
  }
  figure.finding = finding(e);
  if (e.replicate) figure.finding += replicate_finding(*e.replicate);
  figure.details = score_table(e);
  figure.command = material.evaluated->command;
  return figure;
}

}  // namespace cdt
