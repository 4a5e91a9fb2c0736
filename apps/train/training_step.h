// One step of training: forward, backward, clipping and the update, all on the device.
#pragma once

#include <cstdint>

#include "apps/train/options.h"
#include "apps/train/step_results.h"
#include "engine/optim/adamw.h"
#include "engine/tape.h"
#include "model/cdt.h"

namespace cdt {

/// What a step reads.
struct StepInputs {
  Tensor dna;           // (B, L, dna_dim)
  Tensor rna, protein;  // (1, G, ..)
  Tensor genes;         // (B), int32
  Tensor targets;       // (B)
};

/// The kernels of a step, from zeroed gradients to updated weights; predictions, loss and norm
/// stand in `results` when they have run. Dropout masks are those of (settings.seed, step).
void training_step(const TrainSettings& settings, std::uint32_t step, const StepInputs& inputs,
                   Cdt& model, Tape& tape, AdamW& optimiser, const StepResults& results);

}  // namespace cdt
