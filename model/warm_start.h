// Warm starts: a new model takes from a model file every tensor that fits by name and shape. The
// last layer has a row per gene; its rows are matched by gene name.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "io/format/tensor_file.h"
#include "model/cdt.h"
#include "model/checkpoint.h"
#include "model/inputs.h"

namespace cdt {

/// Reports what happened to the tensors of the model and of the file.
struct WarmStart {
  struct Misfit {
    std::string name;
    std::vector<std::int64_t> here, there;  // there: empty if the file has no such tensor
  };
  std::set<std::string> taken;     // names in the model
  std::set<std::string> excepted;  // fit, but were excluded
  std::vector<Misfit> misfits;     // in the model's order
  /// Names of the last layer, if only one of the two models predicts ranks (OutputUnits).
  std::vector<std::string> other_outputs;
  std::vector<std::string> unused;  // names in the file
  /// True if rows of the last layer were matched by gene. Otherwise the file does not name its
  /// genes, and a last layer of equal shape is taken as it is.
  bool by_gene = false;
  std::vector<std::string> fresh_genes, unused_genes;  // genes only in the model; only in the file
  /// "RNA", "protein": embeddings that differ, for the same genes, from those the file's model was
  /// trained on.
  std::vector<std::string> other_embeddings;
};

/// What the user specifies in addition to the file and the model.
struct WarmStartChoice {
  std::vector<std::string> genes;  // genes of the file's last layer, in order, if it records none
  std::set<std::string> except;    // names in the model that keep their new values
  OutputUnits units{};             // of the model's outputs
};

/// Replaces the initial values of `model` with those of `file` that fit. data: the model's data
/// set. Throws InputError for a file of another hidden size, with other numbers of heads, or of
/// which nothing fits; for genes that are given although the file records them, or of another
/// number; and for bad values, as read_parameters() does.
WarmStart start_from(const TensorFile& file, const ModelInputs& data, const WarmStartChoice& choice,
                     Backend& backend, Cdt& model);

}  // namespace cdt
