// How well each method finds the planted sites of a synthetic data set (truth_scores of
// summary.json).
#include <algorithm>
#include <array>
#include <cmath>

#include "apps/report/attribution_claims.h"
#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "io/format/text.h"

namespace cdt {
namespace {

struct MethodScore {
  std::string method;
  MethodSiteScores at;  // pairs with an effect
  SiteScore elsewhere;  // at the causal site, for genes on which it does not act
};

/// Methods that were scored, best first by precision, in which a decoy among the top bins counts
/// against a method.
std::vector<MethodScore> scores_of(const Attribution& attribution) {
  const TruthScores& scores = *attribution.summary.truth_scores;
  std::vector<MethodScore> out;
  for (const MethodWindows& method : attribution.methods) {
    const MethodSiteScores* at = find_name(scores.methods, method.name);
    if (at == nullptr || !std::isfinite(at->causal.auroc.value)) continue;
    const MethodSiteScores* other = find_name(scores.without_effect.methods, method.name);
    out.push_back({method.name, *at, other == nullptr ? SiteScore{} : other->causal});
  }
  std::stable_sort(out.begin(), out.end(), [](const MethodScore& a, const MethodScore& b) {
    return a.at.causal.precision.value > b.at.causal.precision.value;
  });
  return out;
}

/// One of the two measures: its member of SiteScore, its name, its value by chance.
struct Panel {
  Estimate SiteScore::*measure;
  const char* label;
  std::vector<double> chances;
};

/// Draws a panel; in each row the causal site is above the decoy.
void draw_panel(Plot& plot, const std::vector<MethodScore>& scores, const Panel& panel) {
  constexpr double kApart = 0.24;
  Rows causal;
  Rows elsewhere;
  Rows decoy;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double y = -static_cast<double>(i);
    const auto point = [&](const SiteScore& site, double height) -> std::vector<double> {
      const Estimate& e = site.*panel.measure;
      return {e.value, height, e.interval.low, e.interval.high};
    };
    causal.push_back(point(scores[i].at.causal, y + kApart));
    elsewhere.push_back(point(scores[i].elsewhere, y));
    decoy.push_back(point(scores[i].at.decoy, y - kApart));
  }
  plot.axis("x", {0.0, 1.0}, {.most_ticks = 5.0}).run("set format x '%g'");
  plot.label("x", panel.label).run("unset arrow");
  for (const double chance : panel.chances) plot.mark(chance);
  plot.draw({plot.dots(decoy, Ink::kRed), plot.dots(elsewhere, Ink::kBlue),
             plot.dots(causal, Ink::kGreen)});
}

void describe(Plot& plot, const std::vector<MethodScore>& scores, const TruthScores& chance) {
  std::vector<std::string> names;
  for (const MethodScore& row : scores) names.push_back(row.method);
  const std::array<Panel, 2> panels{
      {{&SiteScore::auroc, "AUROC", {chance.chance_auroc}},
       {&SiteScore::precision,
        "precision at k",
        {chance.chance_causal_precision, chance.chance_decoy_precision}}}};
  const bool narrow = plot.canvas().narrow;
  plot.run("set multiplot layout " + std::string(narrow ? "2,1" : "1,2"));
  plot.rows(names).run("set tmargin 1");
  plot.sides(narrow ? 0.43 : 0.21, narrow ? 0.96 : 0.58);
  draw_panel(plot, scores, panels[0]);
  if (!narrow) plot.run("unset label").sides(0.61, 0.98);
  draw_panel(plot, scores, panels[1]);
  plot.run("unset multiplot");
}

Html score_table(const std::vector<MethodScore>& scores, const TruthScores& chance) {
  const auto cell = [](const Estimate& e) { return with_interval(e, 2); };
  std::vector<std::vector<Html>> auroc;
  std::vector<std::vector<Html>> precision;
  for (const MethodScore& s : scores) {
    const std::string n = count_text(s.at.n);
    auroc.push_back({s.method, cell(s.at.causal.auroc), cell(s.elsewhere.auroc),
                     cell(s.at.decoy.auroc), cell(s.at.causal_over_decoy), n});
    precision.push_back({s.method, cell(s.at.causal.precision), cell(s.elsewhere.precision),
                         cell(s.at.decoy.precision), n});
  }
  const Html name = element("i", "by chance");
  const std::string even = fixed(chance.chance_auroc, 2);
  const std::string causal = fixed(chance.chance_causal_precision, 2);
  auroc.push_back({name, even, even, even, even, ""});
  precision.push_back({name, causal, causal, fixed(chance.chance_decoy_precision, 2), ""});
  return table("AUROC at the planted sites",
               {"AUROC", "causal", "causal, other genes", "decoy", "causal over decoy", "n"},
               auroc) +
         table("Precision at the planted sites",
               {"precision at k", "causal", "causal, other genes", "decoy", "n"}, precision) +
         element("p",
                 "n: pairs with an effect in which the window of the method has a peak; its means "
                 "leave out the others.");
}

/// The sentence below the figure. scores: best first.
Html finding(const Attribution& attribution, const std::vector<MethodScore>& scores,
             bool model_uses_dna, bool has_classes) {
  const TruthScores& truth = *attribution.summary.truth_scores;
  const bool concludes = can_conclude(attribution);
  std::vector<SiteFinding> findings;
  for (const MethodScore& s : scores) {
    findings.push_back({s.method, concludes ? s.at.n : 0, s.at.causal.auroc, s.at.causal_over_decoy,
                        s.elsewhere.auroc,
                        !has_classes || is_specific(read_classes(attribution, s.method))});
  }
  Html out = counted(truth.pairs, "pair") + " have a planted effect";
  if (truth.zero_dna_left_out > 0) {
    out +=
        ", " + count_text(truth.zero_dna_left_out) + " more, whose DNA is all zeros, are left out";
  }
  out += "." + Html(site_claim(findings, model_uses_dna));
  const SiteFinding& best = findings.front();
  if (!std::isfinite(best.elsewhere.value)) return out;
  return out + " For " + counted(truth.without_effect.pairs, "pair") +
         " whose gene the site does not move, the AUROC of " + best.method + " there is " +
         with_interval(best.elsewhere, 2) + ", against " + with_interval(best.causal, 2) +
         " for those it moves." + gene_claim(best, model_uses_dna);
}

Html occlusion_remark(const AttributionSummary& summary) {
  const MethodSummary* occlusion = summary.method("occlusion");
  const std::int64_t bins = occlusion == nullptr ? 0 : occlusion->bins_at_a_time.value_or(0);
  if (bins < 2) return {};
  return " Occlusion gives " + std::to_string(bins) +
         " neighbouring bins the same score here, so its precision depends on how the sites align "
         "with these ranges.";
}

}  // namespace

Item truth_figure(const Gnuplot& gnuplot, const Material& material) {
  const AttributionSummary& summary = material.attribution->summary;
  if (!summary.truth_scores) {
    return Omission{"The attribution was made without truth.json.", true};
  }
  const std::vector<MethodScore> scores = scores_of(*material.attribution);
  if (scores.empty()) {
    const bool any = summary.truth_scores->pairs > 0;
    return Omission{
        any ? "No window with a peak has bins both on the causal site and on neither site."
            : "No explained pair has a planted effect."};
  }
  const bool has_classes = material.truth && material.truth->has_classes();
  const TruthScores& chance = *summary.truth_scores;
  const int rows = 34 * static_cast<int>(scores.size());
  Figure figure;
  figure.picture =
      draw_both(gnuplot, "AUROC and precision at causal and decoy sites, by method",
                {70 + rows, 140 + 2 * rows}, [&](Plot& plot) { describe(plot, scores, chance); });
  figure.legend = {{Ink::kGreen, "dot", "the causal site, with its 95\u202f% interval"},
                   {Ink::kBlue, "dot", "the causal site, for genes on which it does not act"},
                   {Ink::kRed, "dot", "the decoy, which looks similar and has no effect"},
                   {Ink::kMuted, "dashes", "the value of random scores"}};
  if (has_classes) {
    figure.legend[0].text = "the site of the gene\u2019s class, with its 95\u202f% interval";
    figure.legend[2].text = "the site of the other class, which does not act on the gene";
    figure.legend.erase(figure.legend.begin() + 1);
  }
  figure.reading =
      "If the model predicts from the causal site, a method that explains its predictions has its "
      "green dots far to the right and its red dots no further right than the dashed line; a "
      "method that distinguishes genes has its blue dots to the left of its green ones.";
  figure.note =
      "AUROC is the chance that a bin of the site scores higher than a bin of neither; precision "
      "at k is the share of the k highest bins that are on the site, where k is its number of "
      "bins. Means over pairs of absolute scores, intervals from a bootstrap over enhancers; "
      "methods are sorted by precision, the best at the top.";
  figure.of_positions = true;
  figure.finding = finding(*material.attribution, scores, uses_dna(material), has_classes) +
                   occlusion_remark(summary);
  figure.details = score_table(scores, chance);
  figure.unfolded = true;
  return figure;
}

}  // namespace cdt
