// The evaluation of one split: metrics of the model next to those of the baselines, as metrics.json
// and as a table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/replicate.h"
#include "io/dataset.h"
#include "model/bootstrap.h"
#include "model/metrics.h"

namespace cdt {

/// One way to predict, evaluated.
struct Score {
  Metrics metrics;
  Interval pearson_interval;    // over enhancers
  double share_of_ceiling = 0;  // NaN without a noise ceiling
  bool constant = false;        // all predictions equal: correlations are undefined
};

struct Evaluation {
  std::string split, data, model_file;  // paths as path_text() writes them
  std::string predictions_digest;       // digest_of() predictions.tsv
  std::int64_t pairs = 0, enhancers = 0, genes = 0;
  bool constant_effects = false;  // all effects equal: correlations and R2 are undefined
  BootstrapOptions bootstrap;
  Score model;
  /// Empty where the data set has no training pairs.
  std::optional<Score> global_mean, gene_mean;
  std::int64_t genes_unseen = 0;
  Interval gain_interval;  // r of the model minus r of the gene mean, same draws
  TrainOverlap overlap;
  double noise_ceiling = 0;  // NaN: unknown
  std::optional<Replicate> replicate;
};

/// predictions: one per pair. truth_ceiling: NaN if unknown.
Evaluation evaluate(const std::vector<Pair>& pairs, std::span<const float> predictions,
                    const std::vector<Pair>& train, double noise_ceiling,
                    const BootstrapOptions& bootstrap);

/// The content of metrics.json (docs/formats.md).
std::string metrics_json(const Evaluation& evaluation);

/// Why a score has no correlation, in a few words; "" if it has one.
std::string why_no_r(const Evaluation& evaluation, const Score& score);
/// Why a correlation has no interval, where it has none.
std::string why_no_interval(const Evaluation& evaluation);

/// The same for a reader, several lines.
std::string summary_table(const Evaluation& evaluation);

}  // namespace cdt
