#include "apps/report/study_page.h"

#include <cmath>

#include "apps/common/program.h"
#include "apps/report/numerals.h"
#include "io/format/text.h"
#include "model/checkpoint.h"

namespace cdt {
namespace {

Html opening(const Study& study) {
  const StudyArm& arm = study.arms.front();
  const auto folds = static_cast<std::int64_t>(arm.folds.size());
  Html out = element(
      "p", counted(folds, "fold") + ", " + counted(arm.seeds, "run") + " in each: every one of " +
               counted(study.pairs, "pair") + " (" + counted(study.enhancers, "enhancer") + " in " +
               loci_text(study.loci) + ", " + counted(study.genes, "gene") +
               ") is predicted by models that were neither trained nor chosen on it.");
  if (folds == 1) {
    out = element("p", counted(arm.seeds, "run") + " on one split, which tests " +
                           counted(study.pairs, "pair") + " (" +
                           counted(study.enhancers, "enhancer") + " in " + loci_text(study.loci) +
                           ", " + counted(study.genes, "gene") + ").");
  }
  out += element("p", "r of the mean prediction is " + with_interval(arm.ensemble.pearson, 3) +
                          ", of a single run " + with_interval(arm.runs.pearson, 3) +
                          " (95\u202f% intervals over loci).");
  if (study.outputs) out += element("p", kRanksMeaning);
  if (study.extensions) {
    out += element("p", "The models have extensions: " + *study.extensions + kNotInReleased + ".");
  }
  for (const StudyClaim& claim : arm.claims) {
    out += claim_html("p", claim.name, claim.said, with_true_minus(claim.text));
  }
  return out;
}

}  // namespace

Page study_page(const Gnuplot& gnuplot, const Study& study, const std::string& command) {
  Page page;
  page.title = "A study of folds and seeds";
  page.subtitle = "Data set " + Html(study.data);
  page.opening = opening(study);
  PageSection scores{"scores", "How well are the tested pairs predicted?", {}, {}, {}};
  scores.items.push_back(
      {"Correlation with the measured effect", study_scores_figure(gnuplot, study, false), ""});
  scores.items.push_back(
      {"Finding the pairs with an effect", study_scores_figure(gnuplot, study, true), ""});
  PageSection spread{"spread", "How far can one run be trusted?", {}, {}, {}};
  spread.items.push_back({"Folds and seeds", study_folds_figure(gnuplot, study), ""});
  spread.items.push_back({"Learning curve", study_curve_figure(gnuplot, study), ""});
  page.sections = {std::move(scores), std::move(spread)};
  page.footer = element("p", "Made by cdt-report " + version() +
                                 ". The page is self-contained and makes no network requests.") +
                element("div", {{"class", "command"}, {"tabindex", "0"}}, element("code", command));
  return page;
}

}  // namespace cdt
