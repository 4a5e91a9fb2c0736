#include "apps/train/training_step.h"

#include "engine/ops.h"

namespace cdt {

void training_step(const TrainSettings& settings, std::uint32_t step, const StepInputs& inputs,
                   Cdt& model, Tape& tape, AdamW& optimiser, const StepResults& results) {
  Backend& backend = tape.backend();
  model.zero_gradients();
  tape.train(static_cast<std::uint64_t>(settings.seed), step);
  const Var output = model.forward({.tape = tape,
                                    .dna = tape.constant(inputs.dna),
                                    .rna = tape.constant(inputs.rna),
                                    .protein = tape.constant(inputs.protein)});
  const Var prediction = select(tape, output, inputs.genes);
  const Var loss =
      huber(tape, prediction, inputs.targets, static_cast<float>(settings.huber_delta));
  backend.copy(results.predictions(), prediction->value);
  backend.copy(results.loss(), loss->value);
  tape.backward(loss);
  tape.clear();
  optimiser.clip_and_update(settings.grad_clip);
  backend.copy(results.norm_and_factor(), optimiser.norm_and_factor());
}

}  // namespace cdt
