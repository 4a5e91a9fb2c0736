// From a command line to a device, a data set and a model on it.
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

/// --device auto takes a GPU if there is one, else the CPU. InputError (one line naming the option)
/// for a device that is not there and for a precision the device does not compute in: the CPU
/// computes in fp32 only; or for --attention cudnn where that cannot be. With --profile it keeps a
/// profile (engine/profiler.h).
std::unique_ptr<Backend> open_backend(const CommonOptions& options);

/// What prediction and attribution share: a data set, a trained model, the device and its memory.
struct Inference {
  /// Opens the device, the data set and the model; InputError if the two do not fit.
  Inference(const CommonOptions& options, const ModelOverrides& overrides);

  std::unique_ptr<Backend> backend;
  std::unique_ptr<TensorFile> file;  // of the model
  CdtConfig config;
  Fingerprint fingerprint;  // of the model, and of the data set as its folder has it
  Dataset data;             // fitted to the model
  Arena lasting, step, scratch;
  std::unique_ptr<Cdt> model;
  Tape tape;
  Tensor rna;      // (1, G, rna_dim)
  Tensor protein;  // (1, G, protein_dim)
};

/// Values of every gene that all samples share, on the device: (1, G, width).
Tensor upload_genes(Backend& backend, Arena& lasting, const std::vector<float>& values,
                    std::int64_t genes, std::int64_t width);

/// --match-genes and --other-inputs.
void add_fit_options(Cli* cli, ModelOverrides* overrides);
/// These two, --heads and --pool-heads.
void add_model_options(Cli* cli, ModelOverrides* overrides);

/// "train", "val" or "test", which the command line has checked.
Split split_named(const std::string& name);

}  // namespace cdt
