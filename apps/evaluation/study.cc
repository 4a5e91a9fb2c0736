#include "apps/evaluation/study.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/common/tables.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/config.h"

namespace cdt {
namespace {

constexpr const char* kFormat = "cdt-study";
constexpr std::int64_t kVersion = 3;

/// All scores of an arm, the ensemble first.
std::vector<const StudyScore*> scores_of(const StudyArm& arm) {
  std::vector<const StudyScore*> out{&arm.ensemble, &arm.runs};
  for (const auto* list : {&arm.baselines, &arm.controls, &arm.others}) {
    for (const StudyScore& score : *list) out.push_back(&score);
  }
  return out;
}

std::string fold_name(std::int64_t fold) { return fold == 0 ? "-" : std::to_string(fold); }

std::string number(double value) { return std::isnan(value) ? "" : format_number(value); }

std::string estimate_cells(const Estimate& e, int value_width) {
  return number_cell(e.value, value_width, 3) + "  " + interval_cell(e.interval, 16, 3);
}

std::string score_line(const StudyScore& score, bool with_auprc) {
  std::string out = text("%-24s", score.label.c_str()) + estimate_cells(score.pearson, 7);
  if (with_auprc) out += estimate_cells(score.auprc, 9);
  return out + estimate_cells(score.pearson_gain, 9) + "\n";
}

std::string header_line(bool with_auprc) {
  std::string out = text("%-24s%7s  %16s", "", "r", "95 % interval");
  if (with_auprc) out += text("%9s  %16s", "AUPRC", "95 % interval");
  return out + text("%9s  %16s\n", "gain", "95 % interval");
}

std::string fold_lines(const StudyArm& arm) {
  std::string out = text("%-8s%8s%8s%12s%10s%12s%12s  %s\n", "fold", "pairs", "loci", "effective",
                         "positive", "ensemble r", "strongest r", "single runs");
  const StudyScore* strongest = arm.baseline(arm.strongest);
  for (std::size_t i = 0; i < arm.folds.size(); ++i) {
    const StudyFold& fold = arm.folds[i];
    out += text("%-8s%8lld%8lld%12.1f%10lld", fold_name(fold.fold).c_str(),
                static_cast<long long>(fold.pairs), static_cast<long long>(fold.loci.number),
                fold.loci.effective, static_cast<long long>(fold.positives)) +
           number_cell(arm.ensemble.pearson_by_fold[i], 12, 3) +
           number_cell(strongest == nullptr ? kNaN : strongest->pearson_by_fold[i], 12, 3) + " ";
    for (const double r : fold.runs) out += " " + number_cell(r, 0, 3);
    out += "\n";
  }
  return out;
}

/// "runs differ by 0.012 (standard deviation of 3 seeds) and folds by 0.043 (of 5 folds)\n"
std::string spread_line(const StudyArm& arm) {
  std::vector<std::string> parts;
  const auto add = [&](double sd, std::int64_t of, const char* what) {
    if (!std::isnan(sd)) parts.push_back(text("%.3f over %s", sd, number_of(of, what).c_str()));
  };
  add(arm.sd_over_seeds, arm.seeds, "seed");
  add(arm.sd_over_folds, static_cast<std::int64_t>(arm.folds.size()), "fold");
  return parts.empty() ? "" : "standard deviation of r: " + joined(parts, ", ") + "\n";
}

std::string arm_text(const StudyArm& arm, bool with_auprc) {
  std::string out;
  if (arm.train_share < 1) {
    out += "\nwith " + format_number(100 * arm.train_share) + " % of the training pairs\n";
  }
  out += header_line(with_auprc);
  for (const StudyScore* score : scores_of(arm)) out += score_line(*score, with_auprc);
  out += spread_line(arm);
  return out;
}

/// One line for each share, if there are several. Seeds draw their own loci, so an ensemble has
/// seen more than its share: the model is compared by its single runs.
std::string curve_text(const Study& study) {
  if (study.arms.size() < 2) return "";
  std::string out =
      "\nlearning curve\n" + text("%10s%14s%12s  %16s%12s  %16s\n", "share", "train pairs",
                                  "single run", "95 % interval", "strongest", "95 % interval");
  for (std::size_t i = study.arms.size(); i-- > 0;) {  // the smallest share first
    const StudyArm& arm = study.arms[i];
    std::vector<double> pairs;
    for (const StudyFold& fold : arm.folds) pairs.push_back(static_cast<double>(fold.train_pairs));
    const StudyScore* strongest = arm.baseline(arm.strongest);
    out += text("%10s%14.0f", format_number(arm.train_share).c_str(), mean(pairs)) +
           estimate_cells(arm.runs.pearson, 12) +
           estimate_cells(strongest == nullptr ? Estimate{} : strongest->pearson, 12) + "\n";
  }
  return out;
}

}  // namespace

const StudyScore* StudyArm::baseline(const std::string& name) const {
  const auto found = std::find_if(baselines.begin(), baselines.end(),
                                  [&](const StudyScore& s) { return s.name == name; });
  return found == baselines.end() ? nullptr : &*found;
}

std::string study_json(const Study& study) {
  nlohmann::ordered_json out = {{"format", kFormat}, {"version", kVersion}};
  out.update(fields_json(study));
  return dumped(out, 2) + "\n";
}

Study read_study(const std::filesystem::path& directory) {
  const std::string file = (directory / "study.json").string();
  const nlohmann::json json = parse_json_file(file);
  JsonReader top(json, file);
  if (top.string("format") != kFormat) top.fail("format", std::string("must be ") + kFormat);
  top.integer("version", kVersion, kVersion);
  auto study = read_fields<Study>(json, file);
  if (study.arms.empty()) throw InputError(file, "arms", "there are none");
  for (const StudyArm& arm : study.arms) {
    for (const StudyScore* score : scores_of(arm)) {
      if (score->pearson_by_fold.size() == arm.folds.size() && !arm.folds.empty()) continue;
      throw InputError(file, "arms", "the score " + score->name + " has not one r for each fold");
    }
  }
  return study;
}

std::string study_text(const Study& study) {
  const StudyArm& whole = study.arms.front();
  std::string out = number_of(study.pairs, "pair") + " of " +
                    number_of(study.enhancers, "enhancer") + " in " + loci_text(study.loci) + ", " +
                    number_of(study.genes, "gene") + "; " + number_of(whole.seeds, "run") +
                    " per fold\n";
  if (!study.positives.empty()) out += "positive: " + study.positives + "\n";
  if (study.outputs) out += "outputs: " + *study.outputs + ", not effects\n";
  if (study.extensions) {
    out += wrapped("extensions: ", *study.extensions + kNotInReleased + ".");
  }
  out += "\n" + arm_text(whole, !study.positives.empty()) + "\n" + fold_lines(whole);
  for (const StudyClaim& claim : whole.claims) out += "\n" + wrapped(claim.name + ": ", claim.text);
  return out + curve_text(study);
}

std::string study_tsv(const Study& study) {
  std::string out = tab_separated({"train_share", "fold", "kind", "pairs", "loci", "pearson",
                                   "pearson_low", "pearson_high", "auprc", "auprc_low",
                                   "auprc_high", "ensemble_minus_this", "low", "high"});
  for (const StudyArm& arm : study.arms) {
    const std::string share = format_number(arm.train_share);
    for (const StudyScore* s : scores_of(arm)) {
      std::vector<std::string> row{share, "all", s->name, std::to_string(study.pairs),
                                   std::to_string(study.loci.number)};
      for (const Estimate* e : {&s->pearson, &s->auprc, &s->pearson_gain}) {
        row.insert(row.end(),
                   {number(e->value), number(e->interval.low), number(e->interval.high)});
      }
      out += tab_separated(row);
      for (std::size_t i = 0; i < arm.folds.size(); ++i) {
        const StudyFold& fold = arm.folds[i];
        std::vector<std::string> of_fold{share,
                                         fold_name(fold.fold),
                                         s->name,
                                         std::to_string(fold.pairs),
                                         std::to_string(fold.loci.number),
                                         number(s->pearson_by_fold[i])};
        of_fold.resize(row.size());
        out += tab_separated(of_fold);
      }
    }
  }
  return out;
}

}  // namespace cdt
