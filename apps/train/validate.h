// The passes of a validation, and the reference's validation loss.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "apps/evaluation/control_passes.h"
#include "engine/arena.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"

namespace cdt {

/// The inputs of a model that every sample shares, uploaded once.
struct DeviceData {
  Tensor rna;      // (1, G, rna_dim)
  Tensor protein;  // (1, G, protein_dim)
};

DeviceData upload_data(const Dataset& data, Backend& backend, Arena& lasting);

/// control_passes() between epochs. Nothing if go_on(), asked after each batch, says no.
std::optional<ControlPasses> validation_passes(const PassPlace& place,
                                               const std::vector<std::int32_t>& enhancers,
                                               std::span<const float> window, std::uint64_t seed,
                                               const std::function<bool()>& go_on);

/// A batch of them, for plans of memory.
void plan_validation(Cdt& model, Tape& tape, Arena& constants, const Tensor& dna);

/// Unweighted mean over batches of `batch` consecutive pairs of each batch's mean Huber loss, so a
/// short last batch counts like a full one, as in the reference.
double epoch_loss(const std::vector<float>& prediction, const std::vector<Pair>& pairs,
                  std::int64_t batch, double delta);

}  // namespace cdt
