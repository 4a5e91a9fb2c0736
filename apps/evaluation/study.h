// A study: runs of several seeds over the folds of a data set, scored on the pairs that each fold
// tests, against baselines fitted on the same training pairs and against controls. cdt-predict
// --combine writes it, cdt-report --study shows it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/evaluation/loci_count.h"
#include "io/format/json_types.h"
#include "model/stats/bootstrap.h"

namespace cdt {

/// Mean over the folds of a score within a fold; intervals over loci.
struct StudyScore {
  std::string name, label;  // in JSON; for people
  Estimate pearson;
  Estimate auprc;  // undefined without positives
  /// Score of the ensemble minus this one; undefined for the ensemble itself.
  Estimate pearson_gain, auprc_gain;
  std::vector<double> pearson_by_fold;

  template <class V>
  void fields(V& v) {
    v("name", name);
    v("label", label);
    v("pearson", pearson);
    v("auprc", auprc);
    v("ensemble_minus_this", pearson_gain);
    v("auprc_ensemble_minus_this", auprc_gain);
    v("pearson_by_fold", pearson_by_fold);
  }
};

struct StudyFold {
  std::int64_t fold = 0;  // 0: the splits of a data set without folds
  std::int64_t pairs = 0, positives = 0;
  LociCount loci;
  std::int64_t train_pairs = 0;  // mean over the runs
  std::vector<double> runs;      // r of each run, in the order of their folders

  template <class V>
  void fields(V& v) {
    v("fold", fold);
    v("pairs", pairs);
    loci.fields(v);
    v("positives", positives);
    v("train_pairs", train_pairs);
    v("pearson_of_runs", runs);
  }
};

struct StudyClaim {
  std::string name;  // in docs/honesty.md
  bool said = false;
  std::string text;

  template <class V>
  void fields(V& v) {
    v("name", name);
    v("said", said);
    v("text", text);
  }
};

/// The runs of one share of the training pairs.
struct StudyArm {
  double train_share = 1;
  std::int64_t seeds = 0;       // runs per fold
  double sd_over_seeds = kNaN;  // of the mean r over folds; undefined with one seed
  double sd_over_folds = kNaN;  // of the mean r over seeds; undefined with one fold
  std::vector<StudyFold> folds;
  StudyScore runs;      // mean over single runs
  StudyScore ensemble;  // mean prediction of a fold's runs
  std::vector<StudyScore> baselines, controls;
  std::vector<StudyScore> others;  // ensembles of other studies of the same pairs
  std::string strongest;           // name of the baseline with the highest r
  Estimate pooled;                 // r of the ensemble over all pairs, folds thrown together
  std::vector<StudyClaim> claims;

  const StudyScore* baseline(const std::string& name) const;

  template <class V>
  void fields(V& v) {
    v("train_share", train_share);
    v("seeds", seeds);
    v("sd_over_seeds", sd_over_seeds);
    v("sd_over_folds", sd_over_folds);
    v("folds", folds);
    v("runs", runs);
    v("ensemble", ensemble);
    v("strongest_baseline", strongest);
    v("baselines", baselines);
    v("controls", controls);
    v("others", others);
    v("pooled_pearson", pooled);
    v("claims", claims);
  }
};

struct Study {
  std::string data;                       // path_text()
  std::string data_digest;                // digest_of_data()
  std::string positives;                  // what counts as positive, for people; "" if nothing does
  std::optional<std::string> extensions;  // of the models (Fingerprint), if they have any
  std::optional<std::string> outputs;     // kNormalScores, if the models do not predict effects
  std::int64_t pairs = 0, enhancers = 0, genes = 0;
  LociCount loci;
  BootstrapOptions bootstrap;
  std::string table_digest;    // of predictions.tsv
  std::vector<StudyArm> arms;  // the largest share first

  template <class V>
  void fields(V& v) {
    v("data", data);
    v.group("fingerprint", [&](auto& in) {
      in("data", data_digest);
      in("extensions", extensions);
    });
    v("outputs", outputs);
    v("predictions_digest", table_digest);
    v.group("bootstrap", [&](auto& in) {
      in("replicates", bootstrap.replicates);
      in("seed", bootstrap.seed);
    });
    v("positives_are", positives);
    v("pairs", pairs);
    v("enhancers", enhancers);
    loci.fields(v);
    v("genes", genes);
    v("arms", arms);
  }
};

/// Content of study.json (docs/formats.md).
std::string study_json(const Study& study);
/// Reads DIRECTORY/study.json; throws InputError for a damaged file or another version.
Study read_study(const std::filesystem::path& directory);

/// The study as a text of several lines for the terminal.
std::string study_text(const Study& study);
/// Content of study.tsv: one row per share, fold and kind of prediction (fold "all" for the mean).
std::string study_tsv(const Study& study);

}  // namespace cdt
