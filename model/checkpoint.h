// A model file: the weights of a model under the reference's state_dict names, as safetensors or as
// torch.save writes them (docs/formats.md). Ours carry the configuration as JSON in the metadata; a
// state_dict saved straight from the PyTorch reference has none, and its sizes are inferred from
// the tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "io/format/tensor_file.h"
#include "model/cdt.h"
#include "model/config.h"

namespace cdt {

/// What the command line says about a model.
struct ModelOverrides {
  // What the tensors of a plain state_dict do not tell. 0: not given.
  std::int64_t heads = 0;
  std::int64_t pool_heads = 0;
  // About the data set beside it (model/inputs.h).
  bool match_genes = false;
  bool other_inputs = false;
};

/// A shape as safetensors writes it, outermost dimension first.
std::vector<std::int64_t> dims_of(const Shape& shape);

/// Did a program of ours write the file, a checkpoint or another one? Else it is a state_dict.
bool is_our_format(const TensorFile& reader);

/// The configuration of a checkpoint, from its metadata or inferred. InputError if a size is
/// missing, does not fit the others, or contradicts an override. Heads that neither the file nor
/// the overrides give are the reference's 8 and 4, which stderr says.
CdtConfig read_model_config(const TensorFile& reader, const ModelOverrides& overrides);

/// Copies every tensor into the model. InputError naming the tensor that is missing, unknown, of
/// another shape, or holds NaN or infinity. Returns what weights_digest() of the model is then.
std::string read_parameters(const TensorFile& reader, Cdt& model);

/// The checks and the digest of read_parameters() for a model of `like`'s sizes, without a copy.
std::string stored_weights_digest(const TensorFile& reader, const Cdt& like);

/// A model that is not trained, with the file's parameters. config: read_model_config() of it.
/// digest: weights_digest() of it, unless null.
std::unique_ptr<Cdt> load_model(const TensorFile& reader, const CdtConfig& config, Backend& backend,
                                Arena& lasting, std::string* digest = nullptr);

/// A digest of configuration, names and values (io/format/digest.h).
std::string weights_digest(const Cdt& model, Backend& backend);

/// Is it a checkpoint of ours, whose metadata says what it was trained beside?
bool is_checkpoint(const TensorFile& reader);

/// The metadata of a checkpoint of the model: `extra` beside format, version and config.
std::map<std::string, std::string> checkpoint_metadata(
    const Cdt& model, const std::map<std::string, std::string>& extra);

/// Writes a checkpoint whole. `extra` goes into the metadata beside format, version and config.
/// Returns weights_digest() of the model.
std::string save_model(const std::filesystem::path& file, const Cdt& model, Backend& backend,
                       const std::map<std::string, std::string>& extra = {});

}  // namespace cdt
