// The steps of a Trainer's epoch: batches in, losses and predictions out.
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/predictions.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/train/step.h"
#include "apps/train/trainer.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {

std::vector<Pair> Trainer::batch_pairs(const std::vector<std::int32_t>& order,
                                       std::int64_t batch) const {
  const std::int64_t size = settings_.batch_size;
  std::vector<Pair> out;
  for (std::int64_t i = batch * size; i < (batch + 1) * size; ++i) {
    out.push_back(train_[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  }
  return out;
}

std::vector<Pair> Trainer::own_part(const std::vector<Pair>& batch) const {
  const auto begin = batch.begin() + batch_part_.first;
  return {begin, begin + part_settings_.batch_size};
}

void Trainer::train_epoch(const RunFolder& folder, std::int64_t steps) {
  if (state_.position == steps) return;  // was interrupted during validation
  const std::vector<std::int32_t> order = orders_.of(state_.epoch);
  Progress progress(
      "epoch " + std::to_string(state_.epoch) + "/" + std::to_string(settings_.epochs), steps,
      options_.common.quiet);
  const std::int64_t batches = steps * settings_.accumulate;
  std::int64_t at = state_.position * settings_.accumulate;
  std::vector<Pair> batch = batch_pairs(order, at);
  device_.start_dna(own_part(batch));
  for (; at < batches; ++at) {
    const Tensor dna = keep_trained(folder, [this] { return device_.take_dna(); });
    std::vector<Pair> next;
    if (at + 1 < batches) {
      next = batch_pairs(order, at + 1);
      device_.start_dna(own_part(next));
    }
    train_batch(batch, dna);
    batch = std::move(next);
    keep_trained(folder, [&] { look_at_dna(&progress); });
    say_pace(&progress);
    progress.update(state_.position, progress_note());
    stop_if_interrupted(folder);
    save_if_wanted(folder, &progress);
  }
  settle(0);
  progress.finish();
}

void Trainer::train_batch(const std::vector<Pair>& whole, const Tensor& dna) {
  const std::vector<Pair> batch = own_part(whole);
  const std::vector<float> targets = column(targets_.with_targets(batch), &Pair::beta);
  const std::vector<std::int32_t> genes = column(batch, &Pair::gene);
  backend_.upload(device_.targets, targets.data());
  backend_.upload(device_.genes, genes.data());
  device_.rna.load(column(batch, &Pair::sample));
  device_.places.load(column(batch, &Pair::enhancer));
  if (weights_.enabled()) backend_.upload(device_.weights, weights_.of(batch).data());
  const std::int64_t parts = settings_.accumulate;
  const std::int64_t running = std::ssize(part_) + static_cast<std::int64_t>(results_.pending());
  const auto draw = static_cast<std::uint32_t>(state_.global_step * parts + running);
  try {
    start_batch(dna, draw, running);
  } catch (const NotFinite& error) {
    throw Error(failed_step(error.what(), batch));
  }
  results_.fetch(whole);
  // A GPU keeps working while the host looks at the batch before the last.
  constexpr std::size_t kAhead = 2;
  settle(backend_.asynchronous() && !numerics_ ? kAhead : 0);
}

void Trainer::run_step(const std::string& name, const std::vector<Tensor>& operands,
                       const std::function<void()>& work) {
  if (!numerics_) return backend_.run_recorded(name, operands, work);
  tape_.show(&*numerics_);
  work();
  tape_.show(nullptr);
}

void Trainer::start_batch(const Tensor& dna, std::uint32_t draw, std::int64_t running) {
  const std::int64_t parts = settings_.accumulate;
  const bool is_last = running % parts == parts - 1;
  backend_.begin_step(draw);
  if (is_last) optimiser_.begin_step(rate_of(draw / parts));
  std::vector<Tensor> operands = {dna,
                                  device_.targets,
                                  device_.genes,
                                  device_.rna.values(),
                                  device_.places.features(),
                                  device_.gene_dna()};
  if (weights_.enabled()) operands.push_back(device_.weights);
  GradientSum* const sum = sum_ ? &*sum_ : nullptr;
  if (parts == 1) {
    run_step("train", operands, [&] {
      training_step(part_settings_, draw, dna, device_, model_, tape_, optimiser_, results_, sum);
    });
  } else {
    if (running % parts == 0) run_step("zero", {}, [&] { model_.zero_gradients(); });
    run_step(is_last && sum ? "last gradients" : "gradients", operands, [&] {
      add_gradients(part_settings_, draw, dna, device_, model_, tape_, results_,
                    is_last ? sum : nullptr);
    });
    if (is_last) {
      run_step("update", {}, [&] { update_weights(settings_, backend_, optimiser_, results_); });
    }
  }
  if (is_last && numerics_) numerics_->updated(model_, optimiser_);
}

void Trainer::settle(std::size_t ahead) {
  while (results_.pending() > ahead) {
    PartResult whole = whole_batch(ranks_, {interrupted(), wants_save(), results_.take()});
    rank_interrupted_ = rank_interrupted_ || whole.interrupted;
    rank_wants_save_ = rank_wants_save_ || whole.save;
    part_.push_back(std::move(whole.result));
    const StepResult& result = part_.back();
    if (!std::isfinite(result.loss)) fail_not_finite("loss", result.loss, result.batch);
    if (std::ssize(part_) == settings_.accumulate) count_step();
  }
}

void Trainer::count_step() {
  const StepResult& last = part_.back();
  if (!std::isfinite(last.norm)) fail_not_finite("gradient norm", last.norm, last.batch);
  double loss = 0.0;
  for (const StepResult& result : part_) {
    const std::vector<float> targets = column(result.batch, &Pair::beta);
    const std::vector<float> predictions = targets_.predictions(result.predictions);
    loss += result.loss;
    state_.predictions.insert(state_.predictions.end(), predictions.begin(), predictions.end());
    state_.targets.insert(state_.targets.end(), targets.begin(), targets.end());
  }
  loss /= static_cast<double>(part_.size());
  losses_.add(loss);
  state_.loss_sum += loss;
  ++state_.position;
  ++state_.global_step;
  samples_here_ += settings_.step_pairs();
  part_.clear();
}

void Trainer::fail_not_finite(const char* what, double value, const std::vector<Pair>& batch) {
  end_together(ranks_, failed_step(std::string(what) + " is " + format_number(value), batch));
}

std::string Trainer::failed_step(const std::string& what, const std::vector<Pair>& batch) const {
  std::vector<std::string> names;
  for (const Pair& pair : batch) names.push_back(pair_name(data_, pair));
  return "epoch " + std::to_string(state_.epoch) + " step " + std::to_string(state_.position + 1) +
         ": " + what + "; pairs " + joined(names, ", ") +
         losses_.before_the_end(next_rate(), numerics_.has_value());
}

}  // namespace cdt
