// Predictions of a split in eval mode, and the reference's validation loss.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "apps/train/batches.h"
#include "engine/arena.h"
#include "engine/tape.h"
#include "io/dataset.h"
#include "model/cdt.h"

namespace cdt {

/// The inputs of a model, uploaded once; dna is refilled per batch.
struct DeviceData {
  Tensor rna;      // (1, G, rna_dim)
  Tensor protein;  // (1, G, protein_dim)
  Tensor dna;      // (B, L, dna_dim)
};

DeviceData upload_data(const Dataset& data, std::int64_t batch, Backend& backend, Arena& lasting);

/// Predicts pairs, every distinct enhancer once and RNA and protein trunks once, in batches of
/// device.dna's size. `constants` is reset and holds the trunks. Empty if a signal arrived.
std::optional<std::vector<float>> predict_pairs(Cdt& model, Tape& tape, Arena& constants,
                                                const Dataset& data, const DeviceData& device,
                                                const std::vector<Pair>& pairs);

/// Unweighted mean over batches of `batch` consecutive pairs of each batch's mean Huber loss, so a
/// short last batch counts like a full one, as in the reference.
double epoch_loss(const std::vector<float>& prediction, const std::vector<Pair>& pairs,
                  std::int64_t batch, double delta);

}  // namespace cdt
