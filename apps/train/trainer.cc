#include "apps/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

#include "apps/common/predictions.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/tables.h"
#include "apps/train/step.h"
#include "engine/error.h"
#include "io/format/text.h"
#include "model/checkpoint.h"
#include "model/inputs.h"

namespace cdt {
namespace {

AdamWOptions adamw_options(const TrainSettings& settings) {
  AdamWOptions options;
  options.weight_decay = settings.weight_decay;
  return options;
}

/// Number of distinct enhancers in the training and validation pairs.
std::int64_t enhancers_of(std::vector<Pair> train, const std::vector<Pair>& val) {
  train.insert(train.end(), val.begin(), val.end());
  return static_cast<std::int64_t>(distinct_enhancers(train).size());
}

/// r or R2 as text; both are undefined if all effects are equal, r also if all predictions are.
std::string score_text(double score) {
  return std::isnan(score) ? std::string("undefined") : text("%.4f", score);
}

/// r over genes that were trained, if there are others.
std::string seen_note(const ValidationMetrics& val) {
  if (val.unseen.n == 0) return "";
  return "r on trained genes " + score_text(val.seen.pearson) + ", ";
}

}  // namespace

Trainer::Trainer(const TrainOptions& options, const MemoryPlan& plan, const Dataset& data,
                 DnaCheck& dna, Backend& backend, Arena& lasting, Cdt& model)
    : options_(options),
      settings_(options.settings),
      data_(data),
      dna_(dna),
      backend_(backend),
      model_(model),
      train_(data.pairs_of(Split::kTrain)),
      val_(data.pairs_of(Split::kVal)),
      parts_(train_, val_, settings_.steer_by),
      steps_(static_cast<std::int64_t>(train_.size()) / settings_.batch_size),
      orders_(static_cast<std::int64_t>(train_.size()), settings_, model),
      device_(data, backend, lasting, settings_.batch_size, enhancers_of(train_, val_),
              plan.device_reserve()),
      optimiser_(model.variables(), backend, lasting, adamw_options(settings_)),
      step_arena_(backend, "step"),
      scratch_(backend, "scratch"),
      trunks_(backend, "trunks"),
      tape_(backend, step_arena_, scratch_),
      results_(lasting, settings_.batch_size, backend),
      validation_(data, static_cast<std::uint64_t>(settings_.seed)) {
  const std::string pairs = (data.directory / "pairs.tsv").string();
  if (val_.empty()) throw InputError(pairs, "split", "training needs val pairs, there are none");
  if (steps_ == 0) {
    throw InputError(pairs, "split",
                     expected_got("too few train pairs for one batch",
                                  "at least " + std::to_string(settings_.batch_size),
                                  std::to_string(train_.size())));
  }
  state_.schedule.lr = settings_.lr;
  state_.stopping.patience = settings_.patience;
  facts_ = {settings_json(settings_), path_text(options.common.data), backend.name(),
            data_fingerprint(data),   options.overrides.match_genes,  path_text(options.init_from)};
  inputs_ = inputs_metadata(model_inputs_of(data));
}

void Trainer::run(const RunFolder& folder) {
  while (!state_.stopped && state_.epoch <= settings_.epochs) {
    epoch_start_ = std::chrono::steady_clock::now();
    samples_here_ = 0;
    train_epoch(folder);
    const std::optional<ControlPasses> passes = keep_trained(folder, [this] { return validate(); });
    stop_if_interrupted(folder);
    if (passes) finish_epoch(folder, validation_.compare(*passes));
  }
  finish_dna(folder);
}

std::optional<ControlPasses> Trainer::validate() {
  const auto go_on = [this] {
    look_at_dna(nullptr);
    return !interrupted();
  };
  const std::vector<float>& window = validation_.window(go_on);
  if (window.empty()) return std::nullopt;
  return validation_passes({model_, tape_, trunks_, device_.feed, data_}, validation_.enhancers(),
                           window, validation_.seed(), go_on);
}

std::vector<Pair> Trainer::batch_pairs(const std::vector<std::int32_t>& order,
                                       std::int64_t step) const {
  std::vector<Pair> out;
  for (std::int64_t i = step * settings_.batch_size; i < (step + 1) * settings_.batch_size; ++i) {
    out.push_back(train_[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  }
  return out;
}

void Trainer::train_epoch(const RunFolder& folder) {
  if (state_.position == steps_) return;  // was interrupted during validation
  const std::vector<std::int32_t> order = orders_.of(state_.epoch);
  Progress progress(
      "epoch " + std::to_string(state_.epoch) + "/" + std::to_string(settings_.epochs), steps_,
      options_.common.quiet);
  std::vector<Pair> batch = batch_pairs(order, state_.position);
  device_.feed.start(column(batch, &Pair::enhancer));
  for (std::int64_t step = state_.position; step < steps_; ++step) {
    const Tensor dna = keep_trained(folder, [this] { return device_.feed.take(); });
    std::vector<Pair> next;
    if (step + 1 < steps_) {
      next = batch_pairs(order, step + 1);
      device_.feed.start(column(next, &Pair::enhancer));
    }
    train_step(batch, dna);
    batch = std::move(next);
    keep_trained(folder, [&] { look_at_dna(&progress); });
    say_pace(&progress);
    progress.update(state_.position, progress_note());
    stop_if_interrupted(folder);
  }
  settle(0);
  progress.finish();
}

void Trainer::say_pace(Progress* progress) {
  constexpr std::int64_t kSteps = 4;    // enough to leave warm-up behind
  constexpr double kWorthALine = 20.0;  // shorter epochs, in seconds, get no line
  const std::int64_t steps = samples_here_ / settings_.batch_size;
  if (said_pace_ || steps < kSteps || options_.common.quiet) return;
  said_pace_ = true;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - epoch_start_).count();
  const double epoch = seconds / static_cast<double>(steps) * static_cast<double>(steps_);
  if (epoch < kWorthALine) return;
  const std::int64_t epochs = settings_.epochs - state_.epoch + 1;
  progress->interject("about " + clock_text(epoch) + " per epoch of training, " +
                      clock_text(epoch * static_cast<double>(epochs)) +
                      " if all epochs run, plus validation");
}

std::string Trainer::progress_note() const {
  std::string note;
  if (state_.position > 0) {
    note =
        "loss " +
        format_number(static_cast<float>(state_.loss_sum / static_cast<double>(state_.position)));
  }
  if (!facts_.dna().empty()) return note;
  return note + (note.empty() ? "" : ", ") + "DNA checked " + std::to_string(dna_.rows_read()) +
         "/" + std::to_string(dna_.rows());
}

void Trainer::train_step(const std::vector<Pair>& batch, const Tensor& dna) {
  const std::vector<float> targets = column(batch, &Pair::beta);
  const std::vector<std::int32_t> genes = column(batch, &Pair::gene);
  backend_.upload(device_.targets, targets.data());
  backend_.upload(device_.genes, genes.data());
  const auto step = static_cast<std::uint32_t>(state_.global_step + results_.pending());
  backend_.begin_step(step);
  optimiser_.begin_step(state_.schedule.lr);
  backend_.run_recorded("train", {dna, device_.targets, device_.genes}, [&] {
    training_step(settings_, step, dna, device_, model_, tape_, optimiser_, results_);
  });
  results_.fetch(batch);
  // A GPU keeps working while the host looks at the step before the last.
  constexpr std::size_t kAhead = 2;
  settle(backend_.asynchronous() ? kAhead : 0);
}

void Trainer::settle(std::size_t ahead) {
  while (results_.pending() > ahead) {
    const StepResult result = results_.take();
    if (!std::isfinite(result.loss)) fail_not_finite("loss", result.loss, result.batch);
    if (!std::isfinite(result.norm)) fail_not_finite("gradient norm", result.norm, result.batch);
    const std::vector<float> targets = column(result.batch, &Pair::beta);
    state_.loss_sum += result.loss;
    state_.predictions.insert(state_.predictions.end(), result.predictions.begin(),
                              result.predictions.end());
    state_.targets.insert(state_.targets.end(), targets.begin(), targets.end());
    ++state_.position;
    ++state_.global_step;
    samples_here_ += settings_.batch_size;
  }
}

void Trainer::finish_epoch(const RunFolder& folder, const ComparedValidation& validation) {
  const Metrics train = compute_metrics(state_.predictions, state_.targets);
  const ValidationMetrics val = parts_.measure(validation.predictions);
  const double r = val.steering_r;
  const double train_loss = state_.loss_sum / static_cast<double>(steps_);
  const double val_loss =
      epoch_loss(validation.predictions, val_, settings_.batch_size, settings_.huber_delta);
  const double lr = state_.schedule.lr;
  state_.schedule.step(r);
  // The first epoch is kept even if its correlation is undefined, so a run always has a best model.
  const bool best = state_.best_epoch == 0 || r > state_.best_metric;
  if (best) {
    if (!std::isnan(r)) state_.best_metric = r;
    state_.best_epoch = state_.epoch;
    state_.older_best_weights =
        std::exchange(state_.best_weights, weights_digest(model_, backend_));
  }
  state_.stopped = state_.stopping.step(r);
  folder.append_metrics(metrics_line(train, val, train_loss, val_loss, lr, best, validation));
  if (!options_.common.quiet) {
    std::cerr << "epoch " << state_.epoch << ": train loss " << text("%.4f", train_loss) << " r "
              << score_text(train.pearson) << ", val loss " << text("%.4f", val_loss) << " r "
              << score_text(val.all.pearson) << " R2 " << score_text(val.all.r2) << ", "
              << seen_note(val) << validation.note(validation_.baseline()) << "lr "
              << text("%g", lr) << (best ? ", best so far" : "") << '\n';
  }
  ++state_.epoch;
  state_.position = 0;
  state_.loss_sum = 0.0;
  state_.predictions.clear();
  state_.targets.clear();
  save(folder);
  // Written after last/, from which it can be restored.
  if (best) save_model(folder.best_model(), model_, backend_, inputs_);
}

void Trainer::stop_if_interrupted(const RunFolder& folder) {
  if (!interrupted()) return;
  settle(0);
  save(folder);
  throw Error("interrupted at epoch " + std::to_string(state_.epoch) + " step " +
              std::to_string(state_.position) + "; continue with --resume");
}

void Trainer::fail_not_finite(const char* what, double value, const std::vector<Pair>& batch) {
  std::vector<std::string> names;
  for (const Pair& pair : batch) names.push_back(pair_name(data_, pair));
  throw Error("epoch " + std::to_string(state_.epoch) + " step " +
              std::to_string(state_.position + 1) + ": " + what + " is " + format_number(value) +
              "; pairs " + joined(names, ", "));
}

}  // namespace cdt
