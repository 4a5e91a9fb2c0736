#include "apps/train/step.h"

#include "apps/common/predictions.h"
#include "apps/common/session.h"
#include "engine/error.h"
#include "engine/ops.h"

namespace cdt {
namespace {

/// Sets bins of dna (B, L, dna_dim) to zero, each with the probability of --mask-bins. DnaFeed
/// writes every row again before the next step.
void mask_bins(double probability, const Tensor& dna, Tape& tape) {
  const Scratch ones(tape.scratch(), {dna.shape[0], dna.shape[1]});
  const Scratch keep(tape.scratch(), {dna.shape[0], dna.shape[1]});
  tape.backend().fill(*ones, 1.0F);
  const DropoutKey key =
      tape.next_dropout(static_cast<float>(probability), {dna.shape[0], dna.shape[1]});
  tape.backend().dropout(*ones, key, *keep);
  tape.backend().zero_rows(*keep, dna);
}

/// The DNA that a training step sees. Sites of masks are taken only for what is enabled, so a run
/// without augmentation has the masks that it would have without these options.
Var augmented(const TrainSettings& settings, const Tensor& dna, const Cdt& model, Tape& tape) {
  const ModuleScope module(tape, model.dna.projector.name);
  if (settings.mask_bins > 0.0) mask_bins(settings.mask_bins, dna, tape);
  const Var x = tape.constant(dna);
  if (settings.feature_dropout <= 0.0) return x;
  return dropout(tape, x, static_cast<float>(settings.feature_dropout), dna.shape[0]);
}

}  // namespace

TrainSettings settings_of_part(const TrainSettings& settings, const BatchPart& part) {
  TrainSettings out = settings;
  out.batch_size /= part.parts;
  return out;
}

StepData::StepData(const CdtConfig& config, const Dataset& data, Backend& backend, Arena& lasting,
                   const TrainSettings& settings, const std::vector<Pair>& pairs,
                   std::size_t reserve_bytes)
    : rna(data, backend, lasting, settings.batch_size),
      protein(upload_genes(backend, lasting, data.protein, data.genes_count(), data.protein_dim)),
      places(config, data, backend, lasting, settings.batch_size),
      genes(lasting.tensor({settings.batch_size}, Dtype::kInt32)),
      targets(lasting.tensor({settings.batch_size})),
      feed(data, backend, lasting, settings.batch_size, std::ssize(distinct_enhancers(pairs)),
           reserve_bytes) {
  if (settings.pair_weights == kWeightsBySe) weights = lasting.tensor({settings.batch_size});
  if (!config.gene_window) return;
  gene_feed.emplace(data, backend, lasting, settings.batch_size, std::ssize(distinct_genes(pairs)),
                    reserve_bytes, Windows::kOfGenes);
}

void StepData::start_dna(const std::vector<Pair>& batch) {
  feed.start(column(batch, &Pair::enhancer));
  if (gene_feed) gene_feed->start(column(batch, &Pair::gene));
}

Tensor StepData::take_dna() {
  if (gene_feed) gene_feed->take();
  return feed.take();
}

void add_gradients(const TrainSettings& settings, std::uint32_t draw, const Tensor& dna,
                   const StepData& data, Cdt& model, Tape& tape, const StepResults& results,
                   GradientSum* sum) {
  Backend& backend = tape.backend();
  if (sum != nullptr) sum->begin();
  tape.watch(sum);
  tape.train(static_cast<std::uint64_t>(settings.seed), draw, data.part.first);
  const Var places = data.places.wanted() ? tape.constant(data.places.features()) : nullptr;
  const Var window = augmented(settings, dna, model, tape);
  const Var gene_window =
      data.gene_feed ? augmented(settings, data.gene_dna(), model, tape) : nullptr;
  const Var prediction = model.forward_pairs({.tape = tape,
                                              .dna = window,
                                              .rna = tape.constant(data.rna.values()),
                                              .protein = tape.constant(data.protein),
                                              .gene_position = places,
                                              .gene_dna = gene_window},
                                             data.genes);
  const ModuleScope module(tape, "loss");
  const Var loss =
      huber(tape, prediction, data.targets, static_cast<float>(settings.huber_delta), data.weights);
  backend.copy(results.predictions(), prediction->value);
  backend.copy(results.loss(), loss->value);
  tape.backward(loss, 1.0F / static_cast<float>(settings.accumulate * data.part.parts));
  tape.clear();
  tape.watch(nullptr);
  if (sum != nullptr) sum->finish();
}

void update_weights(const TrainSettings& settings, Backend& backend, AdamW& optimiser,
                    const StepResults& results) {
  optimiser.clip_and_update(settings.grad_clip);
  backend.copy(results.norm_and_factor(), optimiser.norm_and_factor());
}

void training_step(const TrainSettings& settings, std::uint32_t step, const Tensor& dna,
                   const StepData& data, Cdt& model, Tape& tape, AdamW& optimiser,
                   const StepResults& results, GradientSum* sum) {
  model.zero_gradients();
  add_gradients(settings, step, dna, data, model, tape, results, sum);
  update_weights(settings, tape.backend(), optimiser, results);
}

StepResults::StepResults(Arena& lasting, std::int64_t batch, Backend& backend)
    : backend_(backend),
      all_(lasting.tensor({3 + batch})),
      host_(static_cast<float*>(
          backend.reserve_host(static_cast<std::size_t>(kSlots * all_.bytes())))) {}

void StepResults::fetch(const std::vector<Pair>& batch) {
  CDT_CHECK(pending() < kSlots, "more results pending than there are slots");
  backend_.download_later(slot_memory(next_slot_), all_, next_slot_);
  pending_.push_back({batch, next_slot_});
  next_slot_ = (next_slot_ + 1) % kSlots;
}

StepResult StepResults::take() {
  CDT_CHECK(!pending_.empty(), "no result is pending");
  const auto [batch, slot] = pending_.front();
  pending_.pop_front();
  backend_.wait(slot);
  const float* values = slot_memory(slot);
  return {batch, values[0], values[1], {values + 3, values + all_.count()}};
}

}  // namespace cdt
