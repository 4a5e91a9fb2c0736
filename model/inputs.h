// What a model was trained beside: its genes by name in the order of its outputs, the grid of DNA
// bins, the assembly, the RNA and protein embeddings, and the pairs. A model file records it
// (docs/formats.md), and every program that puts a model beside a data set compares the two here:
// tensors of equal shapes say nothing about which gene a row is. Other pairs are no mistake: they
// only decide what may be concluded.
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
  std::string train_pairs, val_pairs;  // digests by name, order and effects aside; "": not recorded
};

/// Those of a model that is trained on `data`.
ModelInputs model_inputs_of(const Dataset& data);

/// The entries of a model file's metadata.
std::map<std::string, std::string> inputs_metadata(const ModelInputs& inputs);

/// What the file records for a model of `genes` genes; nothing if it records none of it: a
/// state_dict from PyTorch, or a checkpoint of an older version. InputError if a part is missing or
/// damaged.
std::optional<ModelInputs> read_model_inputs(const TensorFile& file, std::int64_t genes);

/// Compares the data set with the model in `reader`, whose configuration is `config`. InputError
/// naming what differs: sizes, genes, and, without other_inputs, bins, assembly and embeddings.
/// With match_genes the genes of `data` are brought into the model's order first; those that the
/// model lacks go, with their pairs. Stderr says what was mapped, what differs, and what the file
/// does not tell.
void fit_to_model(const TensorFile& reader, const CdtConfig& config, const ModelOverrides& choice,
                  Dataset* data);

/// Whether the model in a file was trained and chosen on the train and val splits of a data set, to
/// which it is fitted: pairs that went with genes the model lacks do not count. kUnknown: the file
/// does not say, a state_dict from PyTorch or a checkpoint of an earlier version.
enum class TrainedHere : std::uint8_t { kYes, kNo, kUnknown };
TrainedHere trained_here(const TensorFile& file, const Dataset& data);

}  // namespace cdt
