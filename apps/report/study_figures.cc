#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "apps/report/study_page.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kFoldMeans =
    "Each number is a mean over the folds: of the model and baselines of that fold, over the pairs "
    "that it tests.";

struct Line {
  const StudyScore* score;
  Ink ink;
};

std::vector<Line> lines_of(const StudyArm& arm) {
  std::vector<Line> out{{&arm.ensemble, Ink::kBlue}, {&arm.runs, Ink::kBlue}};
  for (const StudyScore& s : arm.controls) out.push_back({&s, Ink::kRed});
  for (const StudyScore& s : arm.baselines) out.push_back({&s, Ink::kMuted});
  for (const StudyScore& s : arm.others) out.push_back({&s, Ink::kOrange});
  return out;
}

const Estimate& value_of(const StudyScore& score, bool of_auprc) {
  return of_auprc ? score.auprc : score.pearson;
}
const Estimate& gain_of(const StudyScore& score, bool of_auprc) {
  return of_auprc ? score.auprc_gain : score.pearson_gain;
}

Html score_table(const StudyArm& arm, bool of_auprc) {
  std::vector<std::vector<Html>> rows;
  for (const Line& line : lines_of(arm)) {
    const Estimate& value = value_of(*line.score, of_auprc);
    const Estimate& gain = gain_of(*line.score, of_auprc);
    rows.push_back({line.score->label, fixed(value.value, 3), interval_text(value.interval, 3),
                    fixed(gain.value, 3), interval_text(gain.interval, 3)});
  }
  return table("Scores",
               {"", of_auprc ? "AUPRC" : "r", "95\u202f% interval", "ensemble minus this",
                "95\u202f% interval"},
               rows);
}

/// Rows {fold + offset, r}.
Rows points(const std::vector<double>& values, double offset) {
  Rows out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out.push_back({static_cast<double>(i) + 1 + offset, values[i]});
  }
  return out;
}

void describe_folds(Plot& plot, const StudyArm& arm) {
  Rows runs;
  Extent r{0.0};
  for (std::size_t i = 0; i < arm.folds.size(); ++i) {
    for (const double of_run : arm.folds[i].runs) {
      runs.push_back({static_cast<double>(i) + 1, of_run});
    }
  }
  const Rows ensemble = points(arm.ensemble.pearson_by_fold, 0.12);
  const StudyScore* baseline = arm.baseline(arm.strongest);
  const Rows strongest = baseline == nullptr ? Rows{} : points(baseline->pearson_by_fold, -0.12);
  r.add(runs, 1).add(ensemble, 1).add(strongest, 1);
  const auto folds = static_cast<double>(arm.folds.size());
  plot.margins(11, 2, 1).grid("ytics");
  plot.axis("x", {0.5, folds + 0.5}, {.most_ticks = 10, .integers = true});
  plot.axis("y", r, {.to_ticks = true});
  plot.label("x", "fold").label("y", "Pearson correlation");
  std::vector<std::string> layers{Plot::points(plot.data(runs), 0.5, Ink::kBlue, 0.5),
                                  Plot::points(plot.data(ensemble), 0.9, Ink::kBlue)};
  if (!strongest.empty()) layers.push_back(Plot::points(plot.data(strongest), 0.9, Ink::kMuted));
  plot.draw(layers);
}

double train_pairs(const StudyArm& arm) {
  double sum = 0;
  for (const StudyFold& fold : arm.folds) sum += static_cast<double>(fold.train_pairs);
  return sum / static_cast<double>(arm.folds.size());
}

void describe_curve(Plot& plot, const Study& study) {
  Rows model, baseline;
  Extent pairs, r{0.0};
  for (const StudyArm& arm : study.arms) {
    const double x = train_pairs(arm);
    const auto row = [&](const Estimate& e) {
      pairs.add(x);
      r.add(e.value).add(e.interval.low).add(e.interval.high);
      return std::vector<double>{x, e.value, e.interval.low, e.interval.high};
    };
    model.push_back(row(arm.runs.pearson));
    const StudyScore* strongest = arm.baseline(arm.strongest);
    if (strongest != nullptr) baseline.push_back(row(strongest->pearson));
  }
  plot.margins(11, 2, 1).grid("ytics");
  plot.axis("x", pairs, {.most_ticks = 6, .from_zero = true, .margin = 0.05});
  plot.axis("y", r, {.to_ticks = true});
  plot.label("x", "training pairs").label("y", "Pearson correlation");
  std::vector<std::string> layers;
  const auto add = [&](const Rows& rows, Ink ink) {
    if (rows.empty()) return;
    const std::string data = plot.data(rows);
    layers.push_back(
        data + " using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.5 linewidth 1.5 linecolor " +
        rgb(ink));
    layers.push_back(data + " using 1:2 with lines linewidth 2 linecolor " + rgb(ink));
  };
  add(baseline, Ink::kMuted);
  add(model, Ink::kBlue);
  plot.draw(layers);
}

}  // namespace

Item study_scores_figure(const Gnuplot& gnuplot, const Study& study, bool of_auprc) {
  const StudyArm& arm = study.arms.front();
  if (!std::isfinite(value_of(arm.ensemble, of_auprc).value)) {
    return Omission{
        of_auprc ? "The data set has no labels, and no threshold of beta was given (cdt-predict "
                   "--positive-below)."
                 : "The predictions have no correlation."};
  }
  std::vector<Line> lines = lines_of(arm);
  std::erase_if(lines,
                [&](const Line& l) { return !std::isfinite(value_of(*l.score, of_auprc).value); });
  const int height = 80 + 34 * static_cast<int>(lines.size());
  const auto describe = [&](Plot& plot) {
    Extent scores{0.0, 1.0};
    std::vector<std::string> names;
    for (const Line& l : lines) {
      scores.add(value_of(*l.score, of_auprc).interval.low);
      names.push_back(l.score->label);
    }
    plot.rows(names).margins(24, 3, 1.5);
    plot.axis("x", {scores.low() < 0 ? scores.low() - 0.05 : 0.0, 1.0},
              {.most_ticks = plot.canvas().narrow ? 5.0 : 10.0});
    plot.label("x",
               of_auprc ? "average precision" : "Pearson correlation with the measured effect");
    std::vector<std::string> layers;
    for (const Line& l : lines) {
      const Estimate& e = value_of(*l.score, of_auprc);
      layers.push_back(plot.dots(
          {{e.value, -static_cast<double>(layers.size()), e.interval.low, e.interval.high}},
          l.ink));
    }
    plot.draw(layers);
  };
  Figure figure;
  figure.picture = draw_both(gnuplot,
                             of_auprc ? "Average precision of the model, its controls and baselines"
                                      : "Correlation of the model, its controls and baselines",
                             {height, height + 10}, describe);
  figure.legend = {
      {Ink::kBlue, "dot", "the model, with its 95\u202f% interval (bootstrap over loci)"},
      {Ink::kMuted, "dot", "a baseline fitted on the same training pairs"}};
  if (!arm.controls.empty()) {
    figure.legend.push_back({Ink::kRed, "dot", "the same models with inputs taken away"});
  }
  if (!arm.others.empty()) {
    figure.legend.push_back({Ink::kOrange, "dot", "the ensemble of another study"});
  }
  figure.reading = Html(kFoldMeans) +
                   " Compare by the intervals of the differences in the table, not by whether the "
                   "intervals in the picture overlap.";
  if (of_auprc) {
    figure.reading +=
        " Positive is " + Html(study.positives) + "; the lower a prediction, the higher its rank.";
  }
  const StudyScore* strongest = arm.baseline(arm.strongest);
  if (!of_auprc) {
    for (const StudyClaim& claim : arm.claims) {
      figure.finding +=
          claim_html("span", claim.name, claim.said, with_true_minus(claim.text)) + " ";
    }
  } else if (strongest != nullptr) {
    figure.finding = "The ensemble minus the baseline with the highest r, the " + strongest->label +
                     ": " + with_interval(strongest->auprc_gain, 3) + ".";
  }
  figure.details = score_table(arm, of_auprc);
  return figure;
}

Item study_folds_figure(const Gnuplot& gnuplot, const Study& study) {
  const StudyArm& arm = study.arms.front();
  if (arm.folds.size() < 2) return Omission{"The data set has no folds."};
  Figure figure;
  figure.picture = draw_both(gnuplot, "Correlation of every run by fold", {320, 320},
                             [&](Plot& plot) { describe_folds(plot, arm); });
  figure.legend = {
      {Ink::kBlue, "dot", "the mean prediction of the fold's runs; smaller and paler: single runs"},
      {Ink::kMuted, "dot", "the strongest baseline"}};
  figure.reading =
      "Folds differ because their pairs do; the runs of a fold differ because of the seed alone. "
      "A gain that is smaller than either spread needs the paired interval to be believed.";
  figure.finding = "The standard deviation of r is " + fixed(arm.sd_over_folds, 3) + " over folds";
  if (std::isfinite(arm.sd_over_seeds)) {
    figure.finding +=
        " and " + fixed(arm.sd_over_seeds, 3) + " over seeds (of the mean over folds)";
  }
  figure.finding +=
      ". Over all pairs together, the ensemble\u2019s r is " + with_interval(arm.pooled, 3) + ".";
  std::vector<std::vector<Html>> rows;
  const StudyScore* strongest = arm.baseline(arm.strongest);
  for (std::size_t i = 0; i < arm.folds.size(); ++i) {
    const StudyFold& fold = arm.folds[i];
    std::vector<std::string> runs;
    for (const double r : fold.runs) runs.push_back(fixed(r, 3));
    rows.push_back({std::to_string(fold.fold), count_text(fold.pairs), loci_text(fold.loci),
                    count_text(fold.positives), count_text(fold.train_pairs),
                    fixed(arm.ensemble.pearson_by_fold[i], 3),
                    fixed(strongest == nullptr ? kNaN : strongest->pearson_by_fold[i], 3),
                    joined(runs, ", ")});
  }
  figure.details = table("Folds",
                         {"fold", "tested pairs", "loci", "positive", "training pairs",
                          "r of the ensemble", "r of the strongest baseline", "r of runs"},
                         rows);
  return figure;
}

Item study_curve_figure(const Gnuplot& gnuplot, const Study& study) {
  if (study.arms.size() < 2) {
    return Omission{"All runs use all training pairs; SHARES=0.1,0.3,1 makes a learning curve.",
                    true};
  }
  Figure figure;
  figure.picture = draw_both(gnuplot, "Correlation against the number of training pairs",
                             {320, 320}, [&](Plot& plot) { describe_curve(plot, study); });
  figure.legend = {{Ink::kBlue, "dot", "a single run on each share, tested on the same pairs"},
                   {Ink::kMuted, "dot", "its strongest baseline, fitted on the same share"}};
  figure.reading =
      "A curve that still rises at its right end says that more pairs would help; one that is flat "
      "says that something else limits the model. Each seed draws its own loci, so an ensemble has "
      "seen more pairs than its share: the curve is that of single runs.";
  std::vector<std::vector<Html>> rows;
  for (std::size_t i = study.arms.size(); i-- > 0;) {  // the smallest share first
    const StudyArm& arm = study.arms[i];
    const StudyScore* strongest = arm.baseline(arm.strongest);
    rows.push_back(
        {percent(arm.train_share), count_text(std::llround(train_pairs(arm))),
         with_interval(arm.runs.pearson, 3),
         strongest == nullptr ? Html("\u2013") : Html(strongest->label),
         strongest == nullptr ? Html("\u2013") : Html(with_interval(strongest->pearson, 3))});
  }
  figure.finding = "With " + percent(study.arms.back().train_share) +
                   " of the training loci r of a single run is " +
                   with_interval(study.arms.back().runs.pearson, 3) + ", with " +
                   percent(study.arms.front().train_share) + " " +
                   with_interval(study.arms.front().runs.pearson, 3) + ".";
  figure.details =
      table("Learning curve",
            {"share", "training pairs", "r of a single run", "strongest baseline", "its r"}, rows);
  return figure;
}

}  // namespace cdt
