// Model files: the weights of a model under the reference's state_dict names, as safetensors or as
// torch.save writes them (docs/formats.md). Our own files have the configuration as JSON in their
// metadata. A state_dict saved by the PyTorch reference has none; its sizes are inferred from the
// tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "io/format/output.h"
#include "io/format/tensor_file.h"
#include "model/cdt.h"
#include "model/config.h"

namespace cdt {

/// Model settings from the command line.
struct ModelOverrides {
  // For what the tensors of a plain state_dict do not show. 0: not given.
  std::int64_t heads = 0;
  std::int64_t pool_heads = 0;
  // How to treat a data set that differs from the model's (model/inputs.h).
  bool match_genes = false;
  bool other_inputs = false;
  std::int64_t fold = 0;  // that tests; 0: the one that the model file records, if any
};

/// What the outputs of a model mean, as its file records it if they are not effects.
struct OutputUnits {
  double scale = 1.0;  // effect per unit of output
  bool ranks = false;  // normal scores of the ranks of effects, which have no unit
};

/// What `ranks` is called in files.
inline constexpr const char* kNormalScores = "normal scores of ranks";
/// What it means for the numbers of an evaluation.
inline constexpr const char* kRanksMeaning =
    "The model predicts normal scores of the ranks of effects (--label-transform rank), not "
    "effects: r, Spearman and AUPRC are meaningful; R2, MSE, MAE and the calibration slope are "
    "undefined.";

/// Returns the units that the file records; throws InputError for damaged ones.
OutputUnits read_output_units(const TensorFile& reader);
/// Returns the units as entries of a model file's metadata; none for effects.
std::map<std::string, std::string> output_metadata(const OutputUnits& units);
/// Returns the predictions that belong to outputs of a model: effects, except for ranks, whose
/// outputs have no unit of effects.
std::vector<float> predictions_of(const OutputUnits& units, std::vector<float> outputs);
/// Throws InputError if the model in the file predicts ranks and that of the run does not, or the
/// other way round.
void expect_same_kind(const TensorFile& reader, const OutputUnits& run);
/// Multiplies the outputs of a model: weight and bias of its last layer.
void scale_outputs(double factor, Backend& backend, Cdt& model);

/// Returns a shape as safetensors writes it, outermost dimension first.
std::vector<std::int64_t> dims_of(const Shape& shape);

/// True if one of our programs wrote the file, as a checkpoint or otherwise; else it is a
/// state_dict.
bool is_our_format(const TensorFile& reader);

/// Returns the configuration of a checkpoint, from its metadata or inferred. Throws InputError if a
/// size is missing, is inconsistent with the others, or contradicts an override. Head counts that
/// neither the file nor the overrides give are the reference's 8 and 4, with a note on stderr.
CdtConfig read_model_config(const TensorFile& reader, const ModelOverrides& overrides);

/// Copies every tensor into the model and returns the model's weights_digest(). Throws InputError
/// naming a tensor that is missing, unknown, of another shape, or contains NaN or infinity.
std::string read_parameters(const TensorFile& reader, Cdt& model);

/// Makes the checks of read_parameters() for a model of `like`'s sizes and returns the digest,
/// without copying.
std::string stored_weights_digest(const TensorFile& reader, const Cdt& like);

/// Makes a model without gradients from the file's parameters; its outputs are effects also where
/// the file records a scale. config: read_model_config() of the
/// file. digest, unless null, receives weights_digest().
std::unique_ptr<Cdt> load_model(const TensorFile& reader, const CdtConfig& config, Backend& backend,
                                Arena& lasting, std::string* digest = nullptr);

/// Returns a digest of configuration, names and values (io/format/digest.h).
std::string weights_digest(const Cdt& model, Backend& backend);

/// True if it is one of our checkpoints, whose metadata records the data set it was trained on.
bool is_checkpoint(const TensorFile& reader);

/// Returns the metadata of a checkpoint: format, version and config, plus `extra`.
std::map<std::string, std::string> checkpoint_metadata(
    const Cdt& model, const std::map<std::string, std::string>& extra);

/// Writes a checkpoint and returns the model's weights_digest(); the caller commits the file.
/// `extra` is added to the metadata. Throws NotFinite naming a parameter that is, since no file may
/// hold that.
std::string save_model(AtomicFile& file, const Cdt& model, Backend& backend,
                       const std::map<std::string, std::string>& extra = {});
/// Writes and commits it.
std::string save_model(const std::filesystem::path& file, const Cdt& model, Backend& backend,
                       const std::map<std::string, std::string>& extra = {});

}  // namespace cdt
