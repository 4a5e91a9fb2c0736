// Reads a Trainer's state from its run directory and writes it there.
#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "apps/train/trainer.h"
#include "engine/error.h"
#include "engine/poll.h"
#include "io/format/file_digest.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"
#include "model/checkpoint.h"

namespace cdt {
namespace {

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

void add_metrics(const std::string& prefix, double loss, const Metrics& m,
                 nlohmann::ordered_json* line) {
  const std::pair<const char*, double> fields[] = {{"loss", loss},         {"r2", m.r2},
                                                   {"pearson", m.pearson}, {"spearman", m.spearman},
                                                   {"mse", m.mse},         {"mae", m.mae}};
  for (const auto& [name, value] : fields) (*line)[prefix + name] = value;
}

}  // namespace

void Trainer::restore(const RunFolder& folder, const std::string& weights) {
  load_state(folder.last_state(),
             {plan_, settings_.step_pairs(), settings_.patience, weights, monitor_.better()},
             &state_, model_.parameters(), &optimiser_, backend_);
  folder.check_metrics(state_.first_epoch, state_.epoch);
  check_best_model(folder);
  folder.keep_metrics(state_.first_epoch, state_.epoch);
  // By now all rows of a small data set have been compared. Ranks look at them in the first step.
  if (ranks_.size() == 1) look_at_dna(nullptr);
}

void Trainer::go_on_from(const OptimiserFile& optimiser) {
  const OptimiserNumbers& numbers = optimiser.numbers();
  const std::string file = optimiser.path().string();
  if (!numbers.monitor.empty() && numbers.monitor != settings_.monitor) {
    throw InputError(file, "monitor",
                     expected_got("its schedule follows another number than --monitor",
                                  numbers.monitor, settings_.monitor));
  }
  const std::int64_t steps = plan_.per_epoch;
  const std::int64_t epochs = numbers.steps / steps;
  if (numbers.steps % steps != 0 || (numbers.epochs > 0 && numbers.epochs != epochs)) {
    throw InputError(
        file, "steps",
        expected_got(
            "its updates are not those of whole epochs of " + number_of(steps, "step") +
                ", as here with --batch-size " + std::to_string(settings_.batch_size) +
                (settings_.accumulate > 1 ? " --accumulate " + std::to_string(settings_.accumulate)
                                          : ""),
            std::to_string(std::max<std::int64_t>(numbers.epochs, 1)) + " x " +
                std::to_string(steps),
            std::to_string(numbers.steps)));
  }
  if (plan_.in(epochs + 1) == 0) {
    throw InputError(file, "steps",
                     expected_got("all steps are done",
                                  "a larger --max-steps than " + std::to_string(plan_.most),
                                  std::to_string(numbers.steps)));
  }
  if (epochs >= settings_.epochs) {
    throw InputError(file, "steps",
                     expected_got("all epochs are done",
                                  "a larger --epochs than " + std::to_string(settings_.epochs),
                                  std::to_string(epochs)));
  }
  std::size_t in_file = 0,
              here = 0;  // the file counts all parameters, the optimiser only trained ones
  for (const Parameter& parameter : model_.parameters()) {
    const std::size_t i = in_file++;
    if (!parameter.trained()) continue;
    backend_.upload(optimiser_.first_moment(here),
                    optimiser.moment(i, parameter, Moment::kFirst).data());
    backend_.upload(optimiser_.second_moment(here),
                    optimiser.moment(i, parameter, Moment::kSecond).data());
    ++here;
  }
  optimiser_.set_steps(numbers.steps);
  state_.first_epoch = state_.epoch = epochs + 1;
  state_.global_step = numbers.steps;
  if (!numbers.monitor.empty()) {
    state_.schedule = numbers.schedule;
    state_.stopping = numbers.stopping;
  }
  state_.schedule.lr = settings_.lr;  // the optimiser's rate, unless --lr was given
  state_.stopping.patience = settings_.patience;
}

void Trainer::check_best_model(const RunFolder& folder) const {
  if (state_.best_epoch == 0) return;
  const std::filesystem::path file = folder.best_model();
  // Right after the best epoch, last/ holds the same weights, and it is written first.
  const bool is_last = state_.best_epoch == state_.epoch - 1 && state_.position == 0;
  bool write = is_last;
  if (std::filesystem::exists(file)) {
    const SafetensorsReader reader(file);
    check_same_config(model_.config(), read_model_config(reader, {}), file.string(),
                      "is not that of " + folder.last_model().string());
    const std::string found = stored_weights_digest(reader, model_);
    write = is_last && found == state_.older_best_weights;
    if (!write && found != state_.best_weights) {
      throw InputError(file.string(), "weights",
                       expected_got("are not those of the run's best epoch, " +
                                        std::to_string(state_.best_epoch),
                                    "digest " + state_.best_weights, found));
    }
  } else if (!write) {
    throw InputError(file.string(), "file",
                     "is missing, and with it the best model so far, of epoch " +
                         std::to_string(state_.best_epoch) +
                         "; put it back, or begin a new run with --model " +
                         folder.last_model().string());
  }
  if (!write || !folder.writes()) return;
  note(file.string() + ": is rewritten from " + folder.last_model().string() +
       ", which holds the same weights");
  save_model(file, model_, backend_, inputs_);
}

void Trainer::save(const RunFolder& folder) {
  if (dna_.compares() && !wait_for_dna(true)) {
    end_together(
        ranks_, "interrupted before all rows of DNA were compared with those the run began with; " +
                    (folder.path() / "last").string() + " is as it was; continue with --resume");
  }
  keep_trained(folder, [this] { look_at_dna(nullptr); });
  write_last(folder);
}

bool Trainer::wait_for_dna(bool quiet) {
  bool complete = false;
  together(ranks_, [&] { complete = dna_.wait(quiet).has_value(); });
  return complete;
}

void Trainer::write_last(const RunFolder& folder) {
  const SaveClock::Time began = SaveClock::Clock::now();
  const PollPause whole;  // a signal ends the run after the save
  try {
    folder.replace_last([&](const std::filesystem::path& into) { write_to(into); });
  } catch (const NotFinite& error) {
    throw Error(moment_text() + ": " + error.what() + "; " + folder.last().string() +
                " is as it was" + losses_.before_the_end(next_rate(), numerics_.has_value()));
  }
  saved_step_ = state_.global_step;
  save_clock_.saved(began);
}

void Trainer::write_to(const std::filesystem::path& into) {
  const std::filesystem::path file = into / "model.safetensors";
  const std::string weights = save_model(file, model_, backend_, inputs_);
  save_state(into / "state.safetensors", state_, facts_, {weights, digest_of_file(file)},
             model_.parameters(), optimiser_, backend_);
}

void Trainer::finish_dna(const RunFolder& folder) {
  if (!facts_.dna().empty()) return;
  if (!wait_for_dna(options_.common.quiet)) {
    end_together(ranks_, "interrupted after the last epoch; continue with --resume");
  }
  look_at_dna(nullptr);
  if (!dna_.compares()) write_last(folder);  // a state that was compared already has the digest
}

void Trainer::look_at_dna(Progress* progress) {
  if (!facts_.dna().empty()) return;
  std::optional<std::string> digest;
  together(ranks_, [&] { digest = dna_.digest(); });
  if (!digest) return;
  facts_.fingerprint[kDnaPart] = *digest;
  if (!options_.common.quiet && progress != nullptr) progress->interject(dna_.summary());
}

std::string Trainer::metrics_line(const Metrics& train, const ValidationMetrics& val,
                                  double steering, double train_loss, double val_loss, double lr,
                                  bool best, const ComparedValidation& validation) const {
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - epoch_start_).count();
  nlohmann::ordered_json line = {{"epoch", state_.epoch}, {"step", state_.global_step}, {"lr", lr}};
  add_metrics("train_", train_loss, train, &line);
  add_metrics("val_", val_loss, val.all, &line);
  line.update(seen_and_unseen_json(val));
  line["val_gain"] = {{"over", validation_.baseline()},
                      {"difference", fields_json(validation.gain)}};
  if (validation.controls) line["val_controls"] = fields_json(*validation.controls);
  if (monitor_.is_chosen()) line["monitor"] = {{"name", monitor_.name()}, {"value", steering}};
  line["best"] = best;
  line["seconds"] = seconds;
  line["samples_per_second"] = static_cast<double>(samples_here_) / seconds;
  line["peak_memory_bytes"] = peak_memory_bytes();
  return json_line(line);
}

}  // namespace cdt
