// Opens the device, the data set and the model that a command line names.
#pragma once

#include <memory>
#include <vector>

#include "apps/common/cli.h"
#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/tape.h"
#include "io/dataset/dataset.h"
#include "io/format/tensor_file.h"
#include "model/cdt.h"
#include "model/checkpoint.h"
#include "model/fingerprint.h"
#include "model/inputs.h"

namespace cdt {

/// Opens the device; --device auto takes a GPU if there is one, else the CPU. Throws InputError
/// (one line naming the option) for a device that does not exist, for a precision that the device
/// does not support (the CPU supports only fp32), for --no-graph on the CPU, and for --attention
/// cudnn where it is not available. With --profile the backend keeps a profile (engine/profiler.h).
std::unique_ptr<Backend> open_backend(const CommonOptions& options);

/// Opens the data set, with a cache of its DNA if there is --cache. Throws InputError for --cache
/// in the data set or in --out, or a folder that cannot be used, and for --cache-size without
/// --cache.
Dataset open_data(const CommonOptions& options);

/// What prediction and attribution share: a data set, a trained model, the device and its memory.
struct Inference {
  /// Opens the device, the data set and the model; throws InputError if data set and model do not
  /// fit.
  Inference(const CommonOptions& options, const ModelOverrides& overrides);

  std::unique_ptr<Backend> backend;
  std::unique_ptr<TensorFile> file;  // of the model
  CdtConfig config;
  std::string tables;       // digest_of_tables() of the data set before it was fitted
  Fingerprint fingerprint;  // of the model, and of the data set before it was fitted
  Dataset data;             // fitted to the model
  Arena lasting, step, scratch;
  std::unique_ptr<Cdt> model;
  Tape tape;
  Tensor rna;      // (1, G, rna_dim); of the first sample, if there are samples
  Tensor protein;  // (1, G, protein_dim)
};

/// A trained model and a data set that is fitted to it, for programs that do not run the model.
struct ModelAndData {
  /// Opens both as Inference does, but a data set may lack its DNA, which then counts for no
  /// digest: fingerprint.data is "".
  ModelAndData(const CommonOptions& options, const ModelOverrides& overrides);

  std::unique_ptr<TensorFile> file;  // of the model
  CdtConfig config;
  std::string tables;       // digest_of_tables() of the data set before it was fitted
  Fingerprint fingerprint;  // as that of Inference
  Dataset data;             // fitted to the model
};

/// stored_weights_digest() of a model's file, without the memory for its weights.
std::string digest_of_model(const TensorFile& file, const CdtConfig& config);

/// Uploads values of every gene that all samples share, as (1, G, width).
Tensor upload_genes(Backend& backend, Arena& lasting, const std::vector<float>& values,
                    std::int64_t genes, std::int64_t width);

/// Adds --match-genes and --other-inputs.
void add_fit_options(Cli* cli, ModelOverrides* overrides);
/// Adds --match-genes, --other-inputs, --heads, --pool-heads and --fold.
void add_model_options(Cli* cli, ModelOverrides* overrides);

/// Split of a word "train", "val" or "test", which the command line has checked.
Split split_named(const std::string& name);

}  // namespace cdt
