// The data a model was trained on: its genes by name in the order of its outputs, the grid of DNA
// bins, the assembly, the RNA and protein embeddings, and the pairs. A model file records these
// (docs/formats.md), and every program that combines a model with a data set compares the two here,
// because tensors of equal shapes do not show which gene a row is. Different pairs are not an
// error; they only decide which conclusions are allowed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/format/tensor_file.h"
#include "model/checkpoint.h"
#include "model/config.h"

namespace cdt {

struct ModelInputs {
  std::vector<std::string> genes;
  std::int64_t bins = 0;
  std::int64_t bin_bp = 0;
  std::string assembly;
  std::string rna, protein;  // digests of the embeddings, genes in this order (io/format/digest.h)
  std::string gene_starts;   // digest of the gene table; "": not recorded, or there is none
  /// Digests of the pairs by name, independent of their order and effects; "": not recorded.
  std::string train_pairs, val_pairs;
  PairUse use{};           // of the pairs it was trained on
  std::int64_t folds = 0;  // of the data set, if one of them was chosen
};

/// Returns the inputs of a model trained on `data`. Only a model with gene positions needs to
/// record gene_starts.
ModelInputs model_inputs_of(const Dataset& data);

/// Returns the inputs as entries of a model file's metadata.
std::map<std::string, std::string> inputs_metadata(const ModelInputs& inputs);

/// Returns what the file records for a model with `genes` genes; empty if it records none of it, as
/// a state_dict from PyTorch or a checkpoint of an older version. Throws InputError if a part is
/// missing or damaged.
std::optional<ModelInputs> read_model_inputs(const TensorFile& file, std::int64_t genes);

/// Returns which pairs of `data` train, validate and test the model in the file: as it records, or
/// as
/// --fold says. A model of a fold says nothing about a data set with another number of folds.
PairUse pair_use(const TensorFile& file, const ModelOverrides& overrides, const Dataset& data);

/// Compares the data set with the model in `reader`, whose configuration is `config`. Throws
/// InputError naming what differs: sizes (with bin positions also the number of bins), genes and,
/// without other_inputs, bins, assembly and embeddings. With match_genes, first reorders the genes
/// of `data` to the model's order and drops genes that the model lacks, with their pairs. Reports
/// on stderr what was mapped, what differs, and what the file does not record.
void fit_to_model(const TensorFile& reader, const CdtConfig& config, const ModelOverrides& choice,
                  Dataset* data);

/// Throws InputError naming the key of dataset.json if the data set lacks what the model reads of
/// each gene: its start for gene positions, its window of DNA for gene windows.
void check_gene_inputs(const CdtConfig& config, const Dataset& data);

/// Whether the model in a file was trained and selected on the train and val splits of a data set
/// that has been fitted to it (pairs of genes that the model lacks do not count). kUnknown: the
/// file does not say; it is a state_dict from PyTorch or a checkpoint of an earlier version.
enum class TrainedHere : std::uint8_t { kYes, kNo, kUnknown };
TrainedHere trained_here(const TensorFile& file, const Dataset& data);

}  // namespace cdt
