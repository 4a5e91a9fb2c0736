// The evaluation of one split: what is read and fitted before there are predictions, and what is
// computed from them and written.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/predicted.h"
#include "apps/evaluation/replicate.h"
#include "apps/predict/options.h"
#include "io/dataset/dataset.h"
#include "io/format/tensor_file.h"
#include "model/fingerprint.h"

namespace cdt {

/// The pairs of the split; throws InputError if there are none.
std::vector<Pair> pairs_to_predict(const PredictOptions& options, const Dataset& data);

/// A model, the data set that is fitted to it, and their digests.
struct EvaluatedModel {
  const TensorFile& file;
  const Dataset& data;
  const Fingerprint& fingerprint;
};

class SplitEvaluation {
 public:
  /// Reads the second screen and fits the baselines. Throws InputError for what is wrong with the
  /// files, and if `out` has no space. The references must outlive this.
  SplitEvaluation(const PredictOptions& options, const EvaluatedModel& model,
                  const std::vector<Pair>& pairs, const std::filesystem::path& out);

  /// Evaluates the predictions, writes all files and prints the table.
  void finish(const Predicted& predicted, const std::string& provenance);

 private:
  const PredictOptions& options_;
  EvaluatedModel model_;
  const std::vector<Pair>& pairs_;
  std::filesystem::path out_;
  double ceiling_;
  std::optional<Screen> screen_;
  FittedBaselines baselines_;
};

}  // namespace cdt
