// r of the model against its baselines, controls and noise ceiling.
#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/common/tables.h"
#include "apps/evaluation/claims.h"
#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "io/format/text.h"

namespace cdt {
namespace {

struct ScoreLine {
  std::string label;
  Estimate r;
  Ink ink;
};

/// All defined r, a second screen first.
std::vector<ScoreLine> score_lines(const Evaluation& e) {
  std::vector<ScoreLine> out;
  const auto add = [&](const std::string& label, const Score& s, Ink ink) {
    out.push_back({label, s.pearson(), ink});
  };
  if (e.replicate) {
    out.push_back({"second screen", e.replicate->pearson, Ink::kGreen});
  }
  add("model", e.model, Ink::kBlue);
  const auto add_control = [&](const Control& c) {
    out.push_back({c.label, {.value = c.pearson}, Ink::kRed});
  };
  if (e.controls && e.controls->shuffled_dna) add_control(*e.controls->shuffled_dna);
  if (e.controls) add_control(e.controls->mean_dna);
  if (e.controls) add_control(e.controls->shuffled_genes);
  for (const BaselineScore& b : e.baselines) add(b.label, b.score, Ink::kMuted);
  std::erase_if(out, [](const ScoreLine& s) { return !std::isfinite(s.r.value); });
  return out;
}

std::vector<Html> score_row(const Html& name, const Score& s) {
  return {name,
          count_text(s.metrics.n),
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
  if (e.unseen_genes) {
    if (e.seen_genes) rows.push_back(score_row("on trained genes", *e.seen_genes));
    rows.push_back(score_row("on untrained genes", *e.unseen_genes));
  }
  for (const BaselineScore& b : e.baselines) rows.push_back(score_row(b.label, b.score));
  return table("Scores",
               {"", "n", "r", "95\u202f% interval", "p, two-sided", "Spearman", "R\u00b2", "MSE",
                "MAE"},
               rows) +
         element("p",
                 "p treats pairs as independent, but pairs of one locus or gene are not; the "
                 "intervals resample loci.");
}

Html control_table(const Controls& controls, const std::string& label) {
  std::vector<std::vector<Html>> rows;
  const auto add = [&](const Control& c) {
    rows.push_back({c.label, std::to_string(c.draws), fixed(c.pearson, 3), fixed(c.r2, 3),
                    fixed(c.difference.value, 3), interval_text(c.difference.interval, 3)});
  };
  if (controls.shuffled_dna) add(*controls.shuffled_dna);
  add(controls.mean_dna);
  add(controls.shuffled_genes);
  return element("p", Html(label) + ": " + counted(controls.pairs, "pair") + " of " +
                          loci_text(controls.loci)) +
         table(label, {"", "draws", "r", "R\u00b2", "loss of r", "95\u202f% interval"}, rows);
}

Html details(const Evaluation& e) {
  Html out = score_table(e);
  if (e.controls) out += control_table(*e.controls, "The same model with inputs taken away");
  if (e.tested_controls) {
    out += control_table(*e.tested_controls,
                         "The same, over pairs " + tested_pairs_are(e.any_gene_tests()));
  }
  return out;
}

void describe(Plot& plot, const std::vector<ScoreLine>& lines, double ceiling) {
  Extent scores{0.0, 1.0};
  std::vector<std::string> names;
  for (const ScoreLine& s : lines) {
    scores.add(s.r.value).add(s.r.interval.low);
    names.emplace_back(s.label);
  }
  plot.rows(names).margins(20, 3, 1.5);
  const double low = scores.low();
  plot.axis("x", {low < 0.0 ? low - 0.05 : 0.0, 1.0},
            {.most_ticks = plot.canvas().narrow ? 5.0 : 10.0});
  plot.label("x",
             plot.canvas().narrow ? "Pearson r" : "Pearson correlation with the measured effect");
  if (std::isfinite(ceiling)) {
    plot.run("set arrow from " + format_number(ceiling) + ", graph 0 to " + format_number(ceiling) +
             ", graph 1 nohead linewidth 2 linecolor " + rgb(Ink::kGreen));
  }
  std::vector<std::string> layers;
  for (const ScoreLine& s : lines) {
    const double y = -static_cast<double>(layers.size());
    layers.push_back(plot.dots({{s.r.value, y, s.r.interval.low, s.r.interval.high}}, s.ink));
  }
  plot.draw(layers);
}

Html replicate_finding(const Replicate& r) {
  Html out = " A second screen (" + r.source +
             ") agrees with this one with r = " + with_interval(r.pearson, 3) + " over " +
             counted(r.pairs, "pair") + "; the model\u2019s r there is " +
             fixed(r.model_pearson, 3);
  if (!(r.pearson.value > 0)) return out + ".";
  return out + ", " + percent(r.share()) +
         " of that. If the noise of both screens is alike, effects without noise would reach the "
         "square root, " +
         fixed(std::sqrt(r.pearson.value), 3) + ", of which the model reaches " +
         percent(r.corrected()) + ".";
}

Html finding(const Evaluation& e) {
  const std::string no_r = why_no_r(e.model);
  if (!no_r.empty()) return "The model has no r to compare: " + Html(no_r) + ".";
  Html out;
  if (e.baselines.empty()) out += "There are no training pairs to fit a baseline on. ";
  for (const NamedClaim& c : claims_of(e)) {
    out += claim_html("span", c.name, c.claim.said, with_true_minus(c.claim.text)) + " ";
  }
  if (e.controls && std::isfinite(e.controls->variance_by_dna)) {
    out += "Which enhancer\u2019s DNA the model sees accounts for " +
           percent(e.controls->variance_by_dna) + " of the variance of the predictions. ";
  }
  if (e.controls && e.controls->shuffled_dna) {
    out += "Shuffled numbers are means over " + counted(e.controls->shuffled_dna->draws, "draw") +
           ". ";
  }
  return out;
}

}  // namespace

Item score_figure(const Gnuplot& gnuplot, const Material& material) {
  const Evaluation& e = material.evaluated->evaluation;
  const std::vector<ScoreLine> lines = score_lines(e);
  if (lines.empty()) return Omission{"The model has no correlation: " + why_no_r(e.model) + "."};
  const int height = 80 + 34 * static_cast<int>(lines.size());
  Figure figure;
  figure.picture = draw_both(
      gnuplot, "Pearson correlation of the model, its controls and its baselines, with intervals",
      {height, height + 10}, [&](Plot& plot) { describe(plot, lines, e.noise_ceiling); });
  figure.legend = {{Ink::kBlue, "dot", "r with its 95\u202f% interval (bootstrap over loci)"}};
  if (e.controls) {
    figure.legend.push_back({Ink::kRed, "dot", "r of the same model with inputs taken away"});
  }
  if (!e.baselines.empty()) {
    figure.legend.push_back({Ink::kMuted, "dot", "r of a baseline"});
  }
  if (e.replicate) {
    figure.legend.push_back({Ink::kGreen, "dot", "r of a second, noisy measurement"});
  }
  if (std::isfinite(e.noise_ceiling)) {
    figure.legend.push_back({Ink::kGreen, "line", "noise ceiling, " + fixed(e.noise_ceiling, 3)});
  }
  figure.reading =
      "Further right is better. A red dot to the left of the blue one shows what r falls to "
      "without that input. To see whether the loss is more than chance, read the intervals of the "
      "differences, not those in the picture.";
  if (!is_defined(e.model.pearson_interval)) {
    figure.reading += " No interval is drawn: " + why_no_interval(e) + ".";
  }
  figure.finding = finding(e);
  if (e.replicate) figure.finding += replicate_finding(*e.replicate);
  figure.details = details(e);
  return figure;
}

}  // namespace cdt
