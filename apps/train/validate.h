// Predictions of a split in eval mode, and the reference's validation loss.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "apps/common/dna_feed.h"
#include "engine/arena.h"
#include "engine/tape.h"
#include "io/dataset.h"
#include "model/cdt.h"

namespace cdt {

/// The inputs of a model that every sample shares, uploaded once.
struct DeviceData {
  Tensor rna;      // (1, G, rna_dim)
  Tensor protein;  // (1, G, protein_dim)
};

DeviceData upload_data(const Dataset& data, Backend& backend, Arena& lasting);

/// predict_pairs() between epochs, in batches of the feed. `constants` is reset and holds the
/// trunks and a batch of outputs. Empty if go_on(), asked after each batch, says no.
std::optional<std::vector<float>> predict_split(Cdt& model, Tape& tape, Arena& constants,
                                                DnaFeed& feed, const DeviceData& device,
                                                const std::vector<Pair>& pairs,
                                                const std::function<bool()>& go_on);

/// One batch as predict_split() computes it, for plans of memory.
void validation_step(Cdt& model, Tape& tape, Arena& constants, const DeviceData& device,
                     const Tensor& dna);

/// Unweighted mean over batches of `batch` consecutive pairs of each batch's mean Huber loss, so a
/// short last batch counts like a full one, as in the reference.
double epoch_loss(const std::vector<float>& prediction, const std::vector<Pair>& pairs,
                  std::int64_t batch, double delta);

}  // namespace cdt
