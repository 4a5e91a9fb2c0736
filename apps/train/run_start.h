// The files that a run begins from, or that it is resumed from, read before anything is computed or
// written.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "apps/common/optimiser_file.h"
#include "apps/train/options.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "apps/train/state.h"
#include "io/dataset/dataset.h"
#include "io/format/tensor_file.h"
#include "model/config.h"
#include "model/fingerprint.h"

namespace cdt {

struct RunInputs {
  /// Adds to `options` what a stored run or model determines. Throws InputError for files that do
  /// not fit each other or the options.
  RunInputs(TrainOptions* options, const RunFolder& folder);

  RunFacts facts;                            // of the run being resumed
  RunStart began;                            // the files that the run was started with
  std::unique_ptr<TensorFile> warm_start;    // of --init-from, or null
  std::optional<Dataset> data;               // with the pairs that the run uses
  Fingerprint fingerprint;                   // of the whole data set
  std::unique_ptr<OptimiserFile> optimiser;  // of --state, or null
  std::filesystem::path weights;             // of --model or of the run being resumed, or empty
  CdtConfig config;
};

/// Throws InputError if --out would replace a file that this run reads.
void keep_inputs(const TrainOptions& options);

/// Makes sure that what the run being resumed has saved last is whole: if it is damaged, goes back
/// to what was saved before, with a warning. Throws InputError naming the damaged file if that is
/// not whole either.
void go_back_to_whole_save(const RunFolder& folder);

/// The optimiser of --state, whose settings it adopts; null without one.
std::unique_ptr<OptimiserFile> adopt_optimiser(TrainOptions* options);

/// Whether --lr-scale was given to a new run, which --state may also have brought.
bool scales_given(const TrainOptions& options);

}  // namespace cdt
