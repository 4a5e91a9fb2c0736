// model.safetensors: the weights of a model under the reference's state_dict names
// (docs/formats.md). Ours carry the configuration as JSON in the metadata; a state_dict saved
// straight from the PyTorch reference has none, and its sizes are inferred from the tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "io/dataset.h"
#include "io/safetensors.h"
#include "model/cdt.h"
#include "model/config.h"

namespace cdt {

/// What the tensors of a plain state_dict do not tell. 0: not given.
struct ModelOverrides {
  std::int64_t heads = 0;
  std::int64_t pool_heads = 0;
};

/// A shape as safetensors writes it, outermost dimension first.
std::vector<std::int64_t> dims_of(const Shape& shape);

/// One line of JSON, the value of the metadata key "config".
std::string model_config_json(const CdtConfig& config);

/// The configuration of a checkpoint, from its metadata or inferred. InputError if a size is
/// missing, does not fit the others, or contradicts an override. Heads that neither the file nor
/// the overrides give are the reference's 8 and 4, which stderr says.
CdtConfig read_model_config(const SafetensorsReader& reader, const ModelOverrides& overrides);

/// Copies every tensor into the model. InputError naming the tensor that is missing, unknown, of
/// another shape, or holds NaN or infinity.
void read_parameters(const SafetensorsReader& reader, Cdt& model);

/// read_model_config, Cdt, read_parameters.
std::unique_ptr<Cdt> load_model(const std::filesystem::path& file, Backend& backend, Arena& lasting,
                                bool trainable, const ModelOverrides& overrides);

/// Writes a checkpoint whole. `extra` goes into the metadata beside format, version and config.
void save_model(const std::filesystem::path& file, const Cdt& model, Backend& backend,
                const std::map<std::string, std::string>& extra = {});

/// InputError naming the first size in which the model and the data set differ.
void check_model_fits(const CdtConfig& config, const Dataset& data,
                      const std::filesystem::path& model_file);

}  // namespace cdt
