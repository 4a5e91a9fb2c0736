// The evaluation of one split: metrics of the model next to baselines without its inputs and
// controls with its inputs taken away, as metrics.json and as a table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/controls.h"
#include "apps/evaluation/replicate.h"
#include "io/dataset/dataset.h"
#include "model/fingerprint.h"
#include "model/inputs.h"
#include "model/stats/bootstrap.h"
#include "model/stats/statistics.h"

namespace cdt {

/// The locus of each enhancer, numbered from 0 along the chromosomes: clusters of enhancers whose
/// DNA windows (bins * bin_bp around the centre) overlap, directly or through others. What one of a
/// locus measures the others have seen, so intervals draw loci, and a test on new DNA is one on new
/// loci.
std::vector<std::int32_t> loci_of(const std::vector<Enhancer>& enhancers, std::int64_t bins,
                                  std::int64_t bin_bp);
std::vector<std::int32_t> loci_of(const Dataset& data);

/// One way to predict, evaluated.
struct Score {
  Metrics metrics;
  Interval pearson_interval;    // over loci
  double share_of_ceiling = 0;  // NaN without a noise ceiling
  bool constant = false;        // all predictions equal: correlations are undefined

  Estimate pearson() const { return {metrics.pearson, pearson_interval}; }
};

struct BaselineScore {
  std::string name, label;  // in metrics.json, in tables
  Score score;
};

/// r of the model minus r of the strongest baseline, over some of the pairs; a baseline without an
/// r counts as 0. NaN where the model has none.
struct BaselineGain {
  std::int64_t pairs = 0, loci = 0;
  double pearson = 0;   // of the model
  Estimate difference;  // over loci, both sides from the same draws
  double mse = 0, baseline_mse = 0;

  template <class V>
  void fields(V& v) {
    v("n", pairs);
    v("loci", loci);
    v("difference", difference);
    v("mse", mse);
    v("baseline_mse", baseline_mse);
  }
};

/// What the evaluation pairs share with the training pairs.
struct TrainOverlap {
  std::int64_t enhancer = 0;  // pairs whose enhancer occurs in train
  std::int64_t locus = 0;     // whose locus does (loci_of())
  std::int64_t gene = 0;      // whose gene does
  std::int64_t pair = 0;      // pairs that are training pairs themselves
};

struct Evaluation {
  std::string split, data, model_file;  // paths as path_text() writes them
  std::string gene_starts;              // the file of --genes, likewise; "": none
  std::string predictions_digest;       // digest_of() predictions.tsv
  Fingerprint fingerprint;
  TrainedHere trained_here = TrainedHere::kUnknown;
  std::int64_t pairs = 0, enhancers = 0, genes = 0, loci = 0;
  bool constant_effects = false;  // all effects equal: correlations and R2 are undefined
  BootstrapOptions bootstrap;
  Score model;
  /// Pairs whose gene has training pairs, and those whose gene has none: its output column is as
  /// it was drawn. Nothing where there is no such pair or the data set has no training pairs.
  std::optional<Score> seen_genes, unseen_genes;
  /// Empty where the data set has no training pairs. strongest: of the highest r.
  std::vector<BaselineScore> baselines;
  std::size_t strongest = 0;
  BaselineGain gain;
  TrainOverlap overlap;
  std::optional<Controls> controls;
  /// Pairs that can test the model: of trained genes, at loci that had no part in its training; the
  /// others it may know by heart, or not at all. All pairs where the data set has no training
  /// pairs.
  std::int64_t tested_pairs = 0;
  /// Over these, where they are neither all nor none.
  std::optional<BaselineGain> tested_gain;
  std::optional<Controls> tested_controls;
  double noise_ceiling = 0;  // NaN: unknown
  std::optional<Replicate> replicate;

  const BaselineScore* strongest_baseline() const {
    return baselines.empty() ? nullptr : &baselines[strongest];
  }
};

/// What evaluate() is given; all of it outlives the call.
struct ToEvaluate {
  const std::vector<Pair>& pairs;
  std::span<const float> predictions;                 // one per pair
  const std::vector<Pair>& train;                     // may be empty: no baselines
  const std::vector<Pair>& chose;                     // that had a say in the model beside these
  const std::vector<std::int32_t>& locus_of;          // loci_of() the enhancers
  ControlSource controls;                             // empty: there are none
  std::vector<BaselinePrediction> further_baselines;  // beside gene_baselines()
  double noise_ceiling;                               // NaN if unknown
};
/// Of a data set's split: val pairs, unless they are what is evaluated.
std::vector<Pair> pairs_that_chose(const Dataset& data, const std::string& split);
Evaluation evaluate(const ToEvaluate& given, const BootstrapOptions& bootstrap);

/// Why a score has no correlation, in a few words; "" if it has one.
std::string why_no_r(const Score& score);
/// Why a correlation has no interval, where it has none.
std::string why_no_interval(const Evaluation& evaluation);

/// The content of metrics.json (docs/formats.md).
std::string metrics_json(const Evaluation& evaluation);
/// What it says as text, several lines.
std::string summary_table(const Evaluation& evaluation);

}  // namespace cdt
