#include "apps/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

#include "apps/common/predictions.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/tables.h"
#include "apps/train/parameter_rates.h"
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

StepSchedule step_schedule(const TrainSettings& settings, const StepPlan& plan) {
  using Decay = StepSchedule::Decay;
  const StepSchedule out = {settings.schedule == kCosine   ? Decay::kCosine
                            : settings.schedule == kLinear ? Decay::kLinear
                                                           : Decay::kNone,
                            settings.warmup_steps, plan.before(settings.epochs + 1),
                            settings.final_lr_share};
  if (out.warmup == 0 || out.warmup < out.steps) return out;
  throw InputError("command line", "--warmup-steps",
                   expected_got("leaves no step at the full learning rate",
                                "fewer than the run's " + std::to_string(out.steps),
                                std::to_string(out.warmup)));
}

std::vector<Pair> joined_pairs(std::vector<Pair> train, const std::vector<Pair>& val) {
  train.insert(train.end(), val.begin(), val.end());
  return train;
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
                 DnaCheck& dna, Communicator& ranks, Backend& backend, Arena& lasting, Cdt& model)
    : options_(options),
      settings_(options.settings),
      data_(data),
      dna_(dna),
      ranks_(ranks),
      backend_(backend),
      model_(model),
      train_(data.pairs_of(Split::kTrain)),
      val_(data.pairs_of(Split::kVal)),
      targets_(settings_, train_),
      weights_(settings_, data),
      parts_(train_, val_, settings_.steering_pairs()),
      monitor_(settings_, data, parts_),
      plan_{static_cast<std::int64_t>(train_.size()) / settings_.step_pairs(), settings_.max_steps},
      orders_(static_cast<std::int64_t>(train_.size()), settings_, model),
      batch_part_(part_of_batch(ranks, settings_.batch_size)),
      part_settings_(settings_of_part(settings_, batch_part_)),
      device_(model.config(), data, backend, lasting, part_settings_, joined_pairs(train_, val_),
              plan.device_reserve()),
      optimiser_(model.variables(), backend, lasting, adamw_options(settings_),
                 rate_factors(settings_, model)),
      step_arena_(backend, "step"),
      scratch_(backend, "scratch"),
      trunks_(backend, "trunks"),
      tape_(backend, step_arena_, scratch_),
      results_(lasting, part_settings_.batch_size, backend),
      validation_(data, static_cast<std::uint64_t>(settings_.seed), targets_.units()),
      losses_(targets_.loss(std::vector<float>(train_.size()), train_, settings_.step_pairs(),
                            settings_.huber_delta)),
      save_clock_(options.save_every, !options.save_every_given) {
  const std::string pairs = (data.directory / "pairs.tsv").string();
  if (val_.empty()) throw InputError(pairs, "split", "training needs val pairs, there are none");
  if (plan_.per_epoch == 0) {
    throw InputError(
        pairs, "split",
        expected_got(settings_.accumulate > 1 ? "too few train pairs for one optimiser step"
                                              : "too few train pairs for one batch",
                     "at least " + std::to_string(settings_.step_pairs()),
                     std::to_string(train_.size())));
  }
  device_.part = batch_part_;
  if (options.check_numerics) numerics_.emplace(backend_);
  if (ranks.size() > 1) sum_.emplace(ranks, model.gradients(), model.variables());
  rates_ = step_schedule(settings_, plan_);
  state_.aim_at(monitor_.better());
  state_.schedule.lr = settings_.lr;
  state_.stopping.patience = settings_.patience;
  facts_ = {settings_json(settings_),
            path_text(options.common.data),
            backend.name(),
            data_fingerprint(
                data, {monitor_.reads_labels(), weights_.enabled(), model.config().gene_position}),
            options.overrides.match_genes,
            path_text(options.init_from)};
  ModelInputs inputs = model_inputs_of(data);
  if (!model.config().gene_position) inputs.gene_starts.clear();
  inputs_ = inputs_metadata(inputs);
  inputs_.merge(output_metadata(targets_.units()));
}

void Trainer::join_devices() {
  if (ranks_.size() == 1) return;
  device_ranks_ = backend_.device_ranks(ranks_);
  if (device_ranks_) sum_.emplace(*device_ranks_, model_.gradients(), model_.variables());
}

void Trainer::run(const RunFolder& folder, const std::optional<RunMoment>& until) {
  while (!state_.stopped && state_.epoch <= settings_.epochs && plan_.in(state_.epoch) > 0) {
    const bool is_last = until && until->epoch == state_.epoch;
    if (is_last && until->position == 0) break;
    epoch_start_ = std::chrono::steady_clock::now();
    samples_here_ = 0;
    train_epoch(folder, is_last ? until->position : plan_.in(state_.epoch));
    if (is_last) {
      save(folder);
      break;
    }
    const std::optional<ValidationPasses> passes =
        keep_trained(folder, [&] { return validate(folder); });
    if (!passes) rank_interrupted_ = true;  // of any rank
    stop_if_interrupted(folder);
    if (passes) finish_epoch(folder, compared(*passes));
  }
  finish_dna(folder);
}

std::optional<Trainer::ValidationPasses> Trainer::validate(const RunFolder& folder) {
  const auto go_on = [&] {
    // Ranks make different numbers of passes, and look at the DNA and save together.
    if (ranks_.size() == 1) {
      look_at_dna(nullptr);
      rank_wants_save_ = wants_save();
      save_if_wanted(folder);
    }
    return !interrupted();
  };
  PassPlace place{model_, tape_, trunks_, device_.feed, data_};
  place.ranks = &ranks_;
  if (device_.gene_feed) place.read_windows_of(&*device_.gene_feed, val_);
  if (settings_.epoch_controls == kNoEpochControls) {
    return plain_validation(place, validation_.contexts(), go_on);
  }
  const std::vector<float>& window = validation_.window(ranks_, go_on);
  if (window.empty()) return std::nullopt;
  return validation_passes(place, validation_.contexts(), window, validation_.seed(), go_on);
}

ComparedValidation Trainer::compared(const ValidationPasses& passes) const {
  return std::visit([this](const auto& some) { return validation_.compare(some); }, passes);
}

void Trainer::say_pace(Progress* progress) {
  constexpr std::int64_t kSteps = 4;    // enough to leave warm-up behind
  constexpr double kWorthALine = 20.0;  // shorter epochs, in seconds, get no line
  const std::int64_t steps = samples_here_ / settings_.step_pairs();
  if (said_pace_ || steps < kSteps || options_.common.quiet) return;
  said_pace_ = true;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - epoch_start_).count();
  const double epoch = seconds / static_cast<double>(steps) * static_cast<double>(plan_.per_epoch);
  if (epoch < kWorthALine) return;
  const double left =
      static_cast<double>(plan_.before(settings_.epochs + 1) - plan_.before(state_.epoch)) /
      static_cast<double>(plan_.per_epoch);
  progress->interject("about " + clock_text(epoch) + " per epoch of training, " +
                      clock_text(epoch * left) + " if all epochs run, plus validation");
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

void Trainer::finish_epoch(const RunFolder& folder, const ComparedValidation& validation) {
  expect_same_weights();
  Metrics train = compute_metrics(state_.predictions, state_.targets);
  ValidationMetrics val = parts_.measure(validation.predictions);
  if (targets_.units().ranks) {
    for (Metrics* metrics : {&train, &val.all, &val.seen, &val.unseen}) metrics->drop_sizes();
  }
  const double steering = monitor_.value(validation.predictions, val);
  const double train_loss = state_.loss_sum / static_cast<double>(state_.position);
  const double val_loss =
      targets_.loss(validation.predictions, val_, settings_.step_pairs(), settings_.huber_delta);
  const double lr = rate_of(state_.global_step - 1);
  if (!settings_.decays()) state_.schedule.step(steering);
  const bool gains = monitor_.better() == Better::kHigher ? steering > state_.best_metric
                                                          : steering < state_.best_metric;
  // The first epoch is kept even if its number is undefined, so a run always has a best model.
  const bool best = state_.best_epoch == 0 || gains;
  if (best) {
    if (!std::isnan(steering)) state_.best_metric = steering;
    state_.best_epoch = state_.epoch;
    state_.older_best_weights =
        std::exchange(state_.best_weights, weights_digest(model_, backend_));
  }
  state_.stopped = state_.stopping.step(steering);
  folder.append_metrics(
      metrics_line(train, val, steering, train_loss, val_loss, lr, best, validation));
  if (!options_.common.quiet) {
    std::cerr << "epoch " << state_.epoch << ": train loss " << text("%.4f", train_loss) << " r "
              << score_text(train.pearson) << ", val loss " << text("%.4f", val_loss) << " r "
              << score_text(val.all.pearson) << " R2 " << score_text(val.all.r2) << ", "
              << seen_note(val) << validation.note(validation_.baseline()) << "lr "
              << text("%g", lr) << steering_note(steering) << (best ? ", best so far" : "") << '\n';
  }
  const std::string divergence = losses_.after_epoch(train_loss, lr);
  if (!divergence.empty()) warn("epoch " + std::to_string(state_.epoch) + ": " + divergence);
  ++state_.epoch;
  state_.position = 0;
  state_.loss_sum = 0.0;
  state_.predictions.clear();
  state_.targets.clear();
  save(folder);
  // Written after last/, from which it can be restored.
  if (!best || !folder.writes()) return;
  folder.keep_best_for_previous();
  save_model(folder.best_model(), model_, backend_, inputs_);
}

bool Trainer::interrupted_here() const {
  return ranks_.size() == 1 ? interrupted() : rank_interrupted_;
}

void Trainer::expect_same_weights() {
  if (ranks_.size() == 1) return;
  const std::vector<std::string> digests = ranks_.gather(weights_digest(model_, backend_));
  for (std::size_t r = 1; r < digests.size(); ++r) {
    if (digests[r] == digests[0]) continue;
    end_together(ranks_, "rank " + std::to_string(r) +
                             " has other weights than rank 0 after epoch " +
                             std::to_string(state_.epoch) +
                             "; its hardware computes differently or is faulty");
  }
}

void Trainer::stop_if_interrupted(const RunFolder& folder) {
  if (!interrupted_here()) return;
  settle(0);  // batches of an unfinished step are trained again after a resume
  save(folder);
  end_together(ranks_, "interrupted at " + moment_text() + "; continue with --resume");
}

bool Trainer::wants_save() const {
  return save_requested() || (save_clock_.due() && state_.global_step != saved_step_);
}

void Trainer::save_if_wanted(const RunFolder& folder, Progress* progress) {
  if (!rank_wants_save_) return;
  settle(0);
  rank_wants_save_ = false;
  const bool asked = save_requested() || !save_clock_.due();  // perhaps another rank was
  const bool tells = asked && !options_.common.quiet;
  save_request_met();
  if (tells && progress != nullptr) progress->leave_line();
  if (dna_.compares()) {
    if (tells) note("not saved yet: the rows of DNA are being compared with those of the run");
    return save_clock_.saved(SaveClock::Clock::now());
  }
  const SaveClock::Time began = SaveClock::Clock::now();
  try {
    write_last(folder);
    if (tells) note("saved at " + moment_text());
  } catch (const InputError& error) {
    if (progress != nullptr) progress->leave_line();
    warn(std::string(error.what()) + "; " + folder.last().string() +
         " is as it was, and training goes on");
    save_clock_.saved(began);
  }
}

std::string Trainer::moment_text() const {
  return "epoch " + std::to_string(state_.epoch) + " step " + std::to_string(state_.position);
}

std::string Trainer::steering_note(double steering) const {
  if (!monitor_.is_chosen()) return "";
  return ", " + monitor_.name() + " " + score_text(steering);
}

}  // namespace cdt
