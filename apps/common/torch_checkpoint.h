// Training checkpoints as PyTorch users keep them: one file of torch.save with the state_dicts of
// model, torch.optim.AdamW and ReduceLROnPlateau, and the numbers of early stopping.
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

/// The optimiser of such a file, "optimizer_state_dict" or "optimizer", with the scheduler and
/// early stopping beside it; stderr says which of them is missing. InputError as open_optimiser().
std::unique_ptr<OptimiserFile> open_torch_optimiser(const std::filesystem::path& path);
bool holds_torch_optimiser(const std::filesystem::path& path);

struct TorchCheckpoint {
  const std::deque<Parameter>& parameters;
  /// A parameter's values, in the order of its shape.
  std::function<void(const Parameter&, float*)> values;
  std::map<std::string, std::string> metadata;  // what a model file of ours records
  const OptimiserFile* optimiser = nullptr;     // null: the model alone, as a plain state_dict
};

/// Writes the file whole. Beside an optimiser the model is its "model_state_dict".
void write_torch_checkpoint(const std::filesystem::path& path, const TorchCheckpoint& checkpoint);

}  // namespace cdt
