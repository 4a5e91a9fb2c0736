// Evaluation of one split: metrics of the model, of baselines that do not use its inputs, and of
// controls with its inputs taken away; written as metrics.json and as a table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/by_distance.h"
#include "apps/evaluation/classification.h"
#include "apps/evaluation/controls.h"
#include "apps/evaluation/loci_count.h"
#include "apps/evaluation/places.h"
#include "apps/evaluation/replicate.h"
#include "apps/evaluation/score.h"
#include "io/dataset/dataset.h"
#include "model/fingerprint.h"
#include "model/inputs.h"
#include "model/stats/bootstrap.h"
#include "model/stats/statistics.h"

namespace cdt {

struct BaselineScore {
  std::string name, label;  // in metrics.json; in tables
  Score score;
  Estimate difference;  // BaselineGain::difference over all pairs
};

/// r of the model minus r of a baseline over some of the pairs. An undefined r of the baseline
/// counts as 0; NaN if the model has no r.
struct BaselineGain {
  std::int64_t pairs = 0;
  LociCount loci;
  double pearson = 0;   // of the model
  Estimate difference;  // over loci, both r from the same draws
  double mse = 0, baseline_mse = 0;

  template <class V>
  void fields(V& v) {
    v("n", pairs);
    loci.fields(v);
    v("difference", difference);
    v("mse", mse);
    v("baseline_mse", baseline_mse);
  }
};

/// How many evaluation pairs share something with the training pairs.
struct TrainOverlap {
  std::int64_t enhancer = 0;  // pairs whose enhancer occurs in train
  std::int64_t locus = 0;     // pairs whose locus does (loci_of())
  std::int64_t gene = 0;      // pairs whose gene does
  std::int64_t pair = 0;      // pairs that are training pairs
};

struct Evaluation {
  std::string split, data, model_file;  // paths as path_text() writes them
  std::string gene_starts;              // the file of gene starts, likewise; "": none
  std::string predictions_digest;       // digest_of() predictions.tsv
  std::string controls_digest;          // likewise of controls.tsv; "": there is none
  Fingerprint fingerprint;
  TrainedHere trained_here = TrainedHere::kUnknown;
  PairUse use;                   // of the data set's pairs
  std::int64_t folds = 0;        // of the data set; 0: none
  std::int64_t train_pairs = 0;  // on which the baselines are fitted
  std::int64_t pairs = 0, enhancers = 0, genes = 0;
  LociCount loci;
  std::int64_t samples = 1;  // of the pairs; 1 without samples
  BootstrapOptions bootstrap;
  Score model;
  /// Scores over pairs whose gene has training pairs, and over those whose gene has none, so that,
  /// with the column readout, its output still has its initial weights. Empty if there is no such
  /// pair or the data set has no training pairs.
  std::optional<Score> seen_genes, unseen_genes;
  /// Empty if the data set has no training pairs. strongest: index of the highest r.
  std::vector<BaselineScore> baselines;
  std::size_t strongest = 0;
  BaselineGain gain;                             // over the strongest
  std::optional<Classification> classification;  // if something says which pairs are positive
  std::optional<ByDistance> by_distance;         // if gene starts are known
  TrainOverlap overlap;
  std::optional<Controls> controls;
  /// Number of pairs that can test the model: at loci that had no part in its training and, with
  /// the column readout, of trained genes. Other pairs it may have memorised, or never learnt. All
  /// pairs if the data set has no training pairs.
  std::int64_t tested_pairs = 0;
  /// Numbers over these pairs, if they are neither all nor none.
  std::optional<BaselineGain> tested_gain;
  std::optional<Controls> tested_controls;
  double noise_ceiling = 0;  // NaN if unknown
  std::optional<Replicate> replicate;
  /// The model predicts normal scores of ranks (OutputUnits), not effects: its R2, MSE, MAE and
  /// calibration slope are NaN.
  bool ranks = false;

  /// Whether pairs of genes without training pairs can test the model too.
  bool any_gene_tests() const { return fingerprint.has(kGeneReadout); }
  const BaselineScore* strongest_baseline() const {
    return baselines.empty() ? nullptr : &baselines[strongest];
  }
};

/// Arguments of evaluate(); all of it outlives the call.
struct ToEvaluate {
  const std::vector<Pair>& pairs;
  std::span<const float> predictions;                // one per pair
  const std::vector<Pair>& train;                    // may be empty
  const std::vector<Pair>& chose;                    // further pairs that influenced the model
  const std::vector<std::int32_t>& locus_of;         // loci_of() the enhancers
  ControlSource controls;                            // empty if there are no controls
  const std::vector<BaselinePrediction>& baselines;  // none if `train` is empty
  double noise_ceiling;                              // NaN if unknown
  std::optional<double> positive_below{};            // positives_of()
  Places places{};                                   // empty without gene starts
  Fingerprint fingerprint{};
  bool ranks = false;  // Evaluation::ranks
};
/// Which pairs can test a model, in words; any_gene: Evaluation::any_gene_tests().
std::string tested_pairs_are(bool any_gene);
/// Pairs of the data set that chose the model: val, unless val is the split being evaluated.
std::vector<Pair> pairs_that_chose(const Dataset& data, const std::string& split);
Evaluation evaluate(const ToEvaluate& given, const BootstrapOptions& bootstrap);

/// Why a score has no correlation, in a few words; "" if it has one.
std::string why_no_r(const Score& score);
/// Why a correlation has no interval.
std::string why_no_interval(const Evaluation& evaluation);

/// Content of metrics.json (docs/formats.md), of this version.
inline constexpr std::int64_t kMetricsVersion = 4;
std::string metrics_json(const Evaluation& evaluation);
/// The evaluation as a text of several lines.
std::string summary_table(const Evaluation& evaluation);

}  // namespace cdt
