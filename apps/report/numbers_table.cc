// What is behind r: within genes and enhancers, calibration, the ranking of positives, and
// distance.
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "io/format/text.h"

namespace cdt {
namespace {

using Rows = std::vector<std::vector<Html>>;

Html shown(const Estimate& estimate) { return with_interval(estimate, 3); }

/// The cells of a number: its name, the model's and the baseline's value, and the baseline's name.
std::vector<Html> row(const Html& name, const Estimate& model, const Estimate* baseline,
                      const std::string& label) {
  if (baseline == nullptr) return {name, shown(model), "\u2013", "\u2013"};
  return {name, shown(model), shown(*baseline), label};
}

Rows score_rows(const Evaluation& e) {
  const BaselineScore* strongest = e.strongest_baseline();
  Rows out;
  const auto add = [&](const Html& name, auto member) {
    const Estimate of_baseline = strongest == nullptr ? Estimate{} : member(strongest->score);
    out.push_back(row(name, member(e.model), strongest == nullptr ? nullptr : &of_baseline,
                      strongest == nullptr ? "" : strongest->label));
  };
  add("r over all pairs", [](const Score& s) { return s.pearson(); });
  add("r within genes", [](const Score& s) { return s.within_genes.pearson; });
  add("r within enhancers", [](const Score& s) { return s.within_enhancers.pearson; });
  add("calibration slope", [](const Score& s) { return s.calibration_slope; });
  return out;
}

Rows ranking_rows(const Evaluation& e) {
  const Classification& c = *e.classification;
  const bool compared = !e.baselines.empty();
  Rows out;
  const auto add = [&](const Html& name, Estimate RankingScore::*member) {
    out.push_back(row(name, c.model.*member,
                      compared ? &(c.baselines[c.strongest].score.*member) : nullptr,
                      compared ? e.baselines[c.strongest].label : ""));
  };
  add("AUPRC", &RankingScore::auprc);
  add("AUROC", &RankingScore::auroc);
  add("precision at 70\u202f% recall", &RankingScore::precision_at_recall);
  return out;
}

Rows distance_rows(const ByDistance& by_distance, bool with_positives) {
  const BaselineName* baseline = find_baseline(by_distance.baseline);
  const std::string label = baseline == nullptr ? "" : baseline->label;
  Rows out;
  for (const DistanceRange& r : by_distance.ranges) {
    if (r.pairs == 0) continue;
    const std::string range = std::to_string(r.from_kb) + "\u2013" + count_text(r.to_kb) +
                              "\u202fkb, " + counted(r.pairs, "pair") + " of " + loci_text(r.loci);
    out.push_back(row("r, " + range, r.model.pearson, &r.baseline.pearson, label));
    if (!with_positives || !r.positives) continue;
    out.push_back(row("AUPRC, " + range + ", " + counted(*r.positives, "positive"), r.model.auprc,
                      &r.baseline.auprc, label));
  }
  return out;
}

Html ranking_meaning(const Classification& c) {
  return Html(" Positives are the ") + counted(c.positives, "pair") +
         (c.below ? " with an effect below " + with_true_minus(format_number(*c.below))
                  : std::string(" with label 1")) +
         "; a lower prediction ranks higher. AUPRC tells how few others rank above them: equal "
         "predictions reach their share, " +
         fixed(c.prevalence.value, 3) +
         ", and random ones a little more if they are few. AUROC is the chance that a positive "
         "ranks above another pair: without information "
         "0.5. Precision at 70\u202f% recall is the share of positives among the top pairs that "
         "contain 70\u202f% of them.";
}

}  // namespace

Item numbers_table(const Gnuplot& /*gnuplot*/, const Material& material) {
  const Evaluation& e = material.evaluated->evaluation;
  Rows rows = score_rows(e);
  NumbersTable out;
  out.meaning =
      "r within genes compares only pairs of one gene: it tells whether the model knows which "
      "enhancer acts (" +
      counted(e.model.within_genes.pairs, "pair") + " of " +
      counted(e.model.within_genes.groups, "gene") +
      "). r within enhancers compares only pairs of one enhancer: it tells whether the model knows "
      "which gene responds (" +
      counted(e.model.within_enhancers.pairs, "pair") + " of " +
      counted(e.model.within_enhancers.groups, "enhancer") +
      "). A calibration slope of 1 means that predictions have the size of the effects, less that "
      "they are spread too far.";
  const auto add = [&](Rows more) {
    rows.insert(rows.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  };
  const bool with_positives = e.classification && e.classification->positives > 0;
  if (with_positives) {
    add(ranking_rows(e));
    out.meaning += ranking_meaning(*e.classification);
  }
  if (e.by_distance) {
    add(distance_rows(*e.by_distance, with_positives));
    out.meaning +=
        " The last rows take pairs by the distance from the enhancer to the gene\u2019s start.";
  }
  out.table = table("What is behind r", {"", "model", "strongest baseline", "which"}, rows);
  return out;
}

}  // namespace cdt
