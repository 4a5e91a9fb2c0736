#include "apps/predict/study_arm.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "apps/common/leakage.h"
#include "apps/evaluation/claims.h"
#include "apps/evaluation/controls.h"
#include "io/dataset/folds.h"
#include "io/format/text.h"
#include "model/stats/fold_scores.h"

namespace cdt {
namespace {

using Vector = std::vector<float>;

/// A kind of prediction to score, with its name.
struct Kind {
  std::string name, label;
  Members members;
};

/// The ensemble first, then single runs, baselines, controls and other studies.
struct Kinds {
  std::vector<Kind> all;
  std::size_t baselines = 0;  // number of them, after the first two
  std::size_t others = 0;     // number of other studies, at the end

  Kinds(const ArmRuns& runs, const std::vector<OtherStudy>& studies) : others(studies.size()) {
    const Members single = members_of(
        runs, [](const RecordedPrediction& r) -> const Vector& { return r.predictions; });
    all.push_back({"ensemble", "ensemble", {mean_of(single)}});
    all.push_back({"runs", "single run", single});
    const RecordedPrediction& first = runs.folds.front().front();
    for (std::size_t b = 0; b < first.baselines.size(); ++b, ++baselines) {
      all.push_back({first.baselines[b].name, first.baselines[b].label,
                     members_of(runs, [b](const RecordedPrediction& r) -> const Vector& {
                       return r.baselines[b].predictions;
                     })});
    }
    if (first.has_controls) add_controls(runs, first.controls.shuffled_dna.size());
    for (const OtherStudy& study : studies) {
      all.push_back({study.name, "study " + study.name, {study.predictions}});
    }
  }

 private:
  void add_controls(const ArmRuns& runs, std::size_t draws) {
    Members shuffled;  // the ensemble under each draw
    for (std::size_t d = 0; d < draws; ++d) {
      shuffled.push_back(
          mean_of(members_of(runs, [d](const RecordedPrediction& r) -> const Vector& {
            return r.controls.shuffled_dna[d];
          })));
    }
    const auto add = [&](const ControlName& of, Members members) {
      all.push_back({of.name, of.label, std::move(members)});
    };
    if (draws > 0) add(kShuffledDna, std::move(shuffled));
    add(kMeanDna, {mean_of(members_of(runs, [](const RecordedPrediction& r) -> const Vector& {
          return r.controls.mean_dna;
        }))});
    add(kShuffledGenes, {mean_of(members_of(runs, [](const RecordedPrediction& r) -> const Vector& {
          return r.controls.shuffled_genes;
        }))});
  }
};

StudyScore score_of(const Kind& kind, const FoldScore& score) {
  return {kind.name,          kind.label,       score.pearson,        score.auprc,
          score.pearson_gain, score.auprc_gain, score.pearson_of_fold};
}

FoldedTargets targets_of(const ArmRuns& runs, const std::optional<Positives>& positives,
                         const std::vector<std::int32_t>& locus_of) {
  FoldedTargets out;
  if (positives) out.positive = positives->is_positive;
  for (std::size_t fold = 0; fold < runs.folds.size(); ++fold) {
    for (const Pair& pair : runs.folds[fold].front().pairs) {
      out.target.push_back(pair.beta);
      out.fold.push_back(static_cast<std::int32_t>(fold));
      out.cluster.push_back(locus_of[static_cast<std::size_t>(pair.enhancer)]);
    }
  }
  return out;
}

std::vector<StudyFold> folds_of(const ArmRuns& runs, const FoldedTargets& targets) {
  std::vector<StudyFold> out;
  std::size_t at = 0;
  for (const auto& fold : runs.folds) {
    StudyFold row;
    row.fold = fold.front().fold;
    row.pairs = std::ssize(fold.front().pairs);
    row.loci = count_loci({&targets.cluster[at], fold.front().pairs.size()});
    const Vector target = column(fold.front().pairs, &Pair::beta);
    for (std::size_t i = 0; i < target.size(); ++i, ++at) {
      row.positives += !targets.positive.empty() && targets.positive[at] ? 1 : 0;
    }
    for (const RecordedPrediction& run : fold) {
      row.train_pairs += run.train_pairs / std::ssize(fold);
      row.runs.push_back(compute_metrics(run.predictions, target).pearson);
    }
    out.push_back(std::move(row));
  }
  return out;
}

/// Number of tested pairs at loci that had a part in training or choosing the model of their fold.
std::int64_t pairs_at_known_loci(const ArmRuns& runs, const Dataset& data,
                                 const std::vector<std::int32_t>& locus_of) {
  std::int64_t out = 0;
  for (const auto& fold : runs.folds) {
    std::vector<Pair> seen;
    for (Pair pair : data.pairs) {
      if (data.folds > 0) pair.split = split_in_fold(pair.fold, fold.front().fold, data.folds);
      if (pair.split != Split::kTest) seen.push_back(pair);
    }
    out += leakage(seen, fold.front().pairs, {locus_of, {}}).locus;
  }
  return out;
}

const StudyScore* named(const std::vector<StudyScore>& scores, const char* name) {
  const auto found = std::find_if(scores.begin(), scores.end(),
                                  [&](const StudyScore& s) { return s.name == name; });
  return found == scores.end() ? nullptr : &*found;
}

/// The conclusions, or why there are none.
std::vector<StudyClaim> claims_of(const StudyArm& arm, const ArmRuns& runs, const Kinds& kinds,
                                  const FoldedTargets& targets, std::int64_t at_known_loci,
                                  const std::string& split) {
  const LociCount loci = count_loci(targets.cluster);
  bool all_here = true;
  for (const auto& fold : runs.folds) {
    for (const RecordedPrediction& run : fold) all_here = all_here && run.trained_here;
  }
  const auto trained = all_here ? TrainedHere::kYes : TrainedHere::kNo;
  const auto pairs = std::ssize(targets.target);
  std::vector<StudyClaim> out;
  const auto add = [&](const char* name, Claim claim) {
    if (claim.said && at_known_loci > 0) {
      claim = {false, "Nothing is concluded: " + number_of(at_known_loci, "pair") + " of " +
                          std::to_string(pairs) +
                          " are at loci with training or validation pairs; "
                          "split by locus (cdt-split --by locus)."};
    }
    out.push_back({name, claim.said, claim.text});
  };
  const StudyScore* mean_dna = named(arm.controls, kMeanDna.name);
  const StudyScore* shuffled = named(arm.controls, kShuffledDna.name);
  if (mean_dna != nullptr) {
    add("dna",
        dna_claim({.split = split,
                   .pairs = pairs,
                   .loci = loci,
                   .trained_here = trained,
                   .r = arm.ensemble.pearson,
                   .over_shuffled = shuffled == nullptr ? Estimate{} : shuffled->pearson_gain,
                   .over_mean = mean_dna->pearson_gain}));
  }
  const StudyScore* strongest = arm.baseline(arm.strongest);
  if (strongest == nullptr) return out;
  if (arm.train_share < 1 && arm.seeds > 1) {
    out.push_back({"baseline", false,
                   "Whether the model beats the baselines cannot be said: each seed trains on loci "
                   "of its own, so the ensemble has seen more of them than a baseline has."});
    return out;
  }
  const bool ranks = runs.folds.front().front().ranks;
  const auto mse_of = [&](const std::string& name) {
    const auto kind = std::find_if(kinds.all.begin(), kinds.all.end(),
                                   [&](const Kind& k) { return k.name == name; });
    return compute_metrics(mean_of(kind->members), targets.target).mse;
  };
  add("baseline", baseline_claim({.split = split,
                                  .label = strongest->label,
                                  .pairs = pairs,
                                  .loci = loci,
                                  .trained_here = trained,
                                  .has_r = strongest->pearson.value != 0,
                                  .pearson = arm.ensemble.pearson.value,
                                  .over = strongest->pearson_gain,
                                  .mse = ranks ? kNaN : mse_of("ensemble"),
                                  .baseline_mse = mse_of(strongest->name)}));
  return out;
}

}  // namespace

StudyArm score_arm(const ArmRuns& runs, const std::vector<OtherStudy>& others, const Dataset& data,
                   const std::string& split, const std::optional<Positives>& positives,
                   const std::vector<std::int32_t>& locus_of, const BootstrapOptions& bootstrap) {
  const Kinds kinds(runs, others);
  const FoldedTargets targets = targets_of(runs, positives, locus_of);
  std::vector<Members> members;
  for (const Kind& kind : kinds.all) members.push_back(kind.members);
  const std::vector<FoldScore> scores = score_over_folds(targets, members, 0, bootstrap);
  StudyArm out;
  out.train_share = runs.train_share;
  out.seeds = std::ssize(runs.folds.front());
  out.folds = folds_of(runs, targets);
  out.ensemble = score_of(kinds.all[0], scores[0]);
  out.runs = score_of(kinds.all[1], scores[1]);
  out.sd_over_seeds = standard_deviation(scores[1].pearson_of_member);
  out.sd_over_folds = standard_deviation(scores[1].pearson_of_fold);
  std::vector<double> r;
  for (std::size_t k = 2; k < scores.size(); ++k) {
    const bool is_baseline = k - 2 < kinds.baselines;
    const bool is_other = k + kinds.others >= scores.size();
    std::vector<StudyScore>& list = is_baseline ? out.baselines
                                    : is_other  ? out.others
                                                : out.controls;
    list.push_back(score_of(kinds.all[k], scores[k]));
    if (is_baseline) r.push_back(scores[k].pearson.value);
  }
  if (!r.empty()) out.strongest = out.baselines[strongest_of(r)].name;
  const Vector& ensemble = kinds.all[0].members.front();
  out.pooled = {compute_metrics(ensemble, targets.target).pearson,
                bootstrap_pearson(ensemble, targets.target, targets.cluster, bootstrap)};
  out.claims =
      claims_of(out, runs, kinds, targets, pairs_at_known_loci(runs, data, locus_of), split);
  return out;
}

}  // namespace cdt
