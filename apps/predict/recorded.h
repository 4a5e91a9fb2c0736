// Predictions of single runs, as cdt-predict --combine reads them back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/control_passes.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// The predictions of one run for the pairs that its fold tests.
struct RecordedPrediction {
  std::filesystem::path folder;
  std::string model;                      // digest
  std::optional<std::string> extensions;  // Fingerprint::extensions
  bool ranks = false;                     // Evaluation::ranks
  std::int64_t fold = 0;                  // 0: the split of a data set without folds
  double train_share = 1;
  std::int64_t train_pairs = 0;
  std::optional<double> positive_below;  // as --positive-below was given
  std::int64_t bootstrap = 0;            // replicates
  bool trained_here = false;             // on the training and validation pairs of its fold
  std::vector<Pair> pairs;               // predicted
  std::vector<float> predictions;
  std::vector<BaselinePrediction> baselines;  // fitted on its training pairs
  ControlPredictions controls;
  bool has_controls = false;
};

/// The split whose pairs a folder of cdt-predict predicts.
std::string recorded_split(const std::filesystem::path& folder);

/// Reads a folder that cdt-predict wrote for `data` (not yet used by fold) and the split `split`.
/// data_digest: digest_of_data(). Throws InputError naming the file and the field: another data set
/// or split, a table that is not the one its metrics.json was computed from, other pairs than the
/// fold's.
RecordedPrediction read_prediction(const std::filesystem::path& folder, const Dataset& data,
                                   const std::string& data_digest, const std::string& split);

}  // namespace cdt
