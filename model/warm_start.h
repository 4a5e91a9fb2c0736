// A new model that begins where another one ended: of a model file every tensor that fits by name
// and shape. The last layer has a row for each gene; its rows go by gene.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "io/format/tensor_file.h"
#include "model/cdt.h"
#include "model/inputs.h"

namespace cdt {

/// What became of the tensors of the model and of those of the file.
struct WarmStart {
  struct Misfit {
    std::string name;
    std::vector<std::int64_t> here, there;  // there: empty if the file has no such tensor
  };
  std::set<std::string> taken;      // names of the model
  std::set<std::string> excepted;   // that fit, and were not to be taken
  std::vector<Misfit> misfits;      // in its order
  std::vector<std::string> unused;  // names of the file
  /// Rows of the last layer, where they go by gene. Otherwise the file does not name its genes, and
  /// a last layer of equal shape is taken as it is.
  bool by_gene = false;
  std::vector<std::string> fresh_genes, unused_genes;  // of the model, of the file: the other lacks
  /// "RNA", "protein": of the same genes other embeddings than the file's model was trained beside.
  std::vector<std::string> other_embeddings;
};

/// What is known beside a file and a model.
struct WarmStartChoice {
  std::vector<std::string> genes;  // of the file's last layer in its order, where it records none
  std::set<std::string> except;    // names of the model that begin anew all the same
};

/// Gives `model`, whose values are drawn, those of `file` that fit. data: the data set of the
/// model. InputError for a file of another hidden size, with other numbers of heads, or of which
/// nothing fits; for genes beside recorded ones or of another number; and for bad values as
/// read_parameters().
WarmStart start_from(const TensorFile& file, const ModelInputs& data, const WarmStartChoice& choice,
                     Backend& backend, Cdt& model);

}  // namespace cdt
