// Training checkpoints in the usual PyTorch form: one file written by torch.save with the
// state_dicts of model, torch.optim.AdamW and ReduceLROnPlateau, and the numbers of early stopping.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "apps/common/optimiser_file.h"
#include "model/parameters.h"

namespace cdt {

/// Opens the optimiser of such a file, "optimizer_state_dict" or "optimizer", with the scheduler
/// and early stopping stored in it; a note on stderr says which of them is missing. Throws
/// InputError as open_optimiser().
std::unique_ptr<OptimiserFile> open_torch_optimiser(const std::filesystem::path& path);
bool holds_torch_optimiser(const std::filesystem::path& path);

struct TorchCheckpoint {
  const std::deque<Parameter>& parameters;
  /// Reads a parameter's values, in the order of its shape.
  std::function<void(const Parameter&, float*)> values;
  std::map<std::string, std::string> metadata;  // what our model files record
  const OptimiserFile* optimiser = nullptr;     // null for the model alone, as a plain state_dict
};

/// Writes the file, completely or not at all. With an optimiser, the model is "model_state_dict".
void write_torch_checkpoint(const std::filesystem::path& path, const TorchCheckpoint& checkpoint);

}  // namespace cdt
