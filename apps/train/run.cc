// A whole training: from the options to the files of the run.
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/cli_words.h"
#include "apps/common/program.h"
#include "apps/common/session.h"
#include "apps/train/dna_check.h"
#include "apps/train/foreword.h"
#include "apps/train/memory_plan.h"
#include "apps/train/parameter_rates.h"
#include "apps/train/patterns.h"
#include "apps/train/ranks.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "apps/train/run_start.h"
#include "apps/train/train.h"
#include "apps/train/trainer.h"
#include "apps/train/warm_start.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "io/format/text.h"
#include "model/checkpoint.h"
#include "model/torch_initial.h"

namespace cdt {
namespace {

/// A model with its weights: random, from --model, or from the run being resumed. weights: their
/// digest, if they were read from a file. units: of the run, whose scale may differ from the
/// file's.
struct Trained {
  Trained(const CdtConfig& config, Backend& backend, const std::filesystem::path& file,
          const TrainSettings& settings, const OutputUnits& units)
      : lasting(backend, "lasting"), model(config, backend, lasting, false) {
    model.make_trainable(lasting, frozen_parameters(settings.freeze, model));
    if (!file.empty()) {
      const std::unique_ptr<TensorFile> reader = open_tensor_file(file);
      expect_same_kind(*reader, units);
      weights = read_parameters(*reader, model);
      const double factor = read_output_units(*reader).scale / units.scale;
      if (factor != 1.0) scale_outputs(factor, backend, model);
    } else if (const auto torch = torch_seed(settings.init)) {
      initialise_as_torch(*torch, model);
    } else {
      model.initialise(static_cast<std::uint64_t>(settings.seed));
    }
  }
  Arena lasting;
  Cdt model;
  std::string weights;
};

/// A run that is ready for its first step.
class Run {
 public:
  /// Builds the model and prints what the run will take. The arguments must outlive
  /// this. Throws InputError if something does not fit.
  Run(const TrainOptions& options, RunInputs& inputs, RunFolder& folder, Communicator& ranks,
      const std::vector<MemoryBound>& bounds);

  /// Connects the devices of the ranks.
  void join_devices() { trainer_.join_devices(); }
  /// Waits for the pass over all DNA if that is short; throws as DnaCheck.
  void wait_for_small_dna();
  /// Throws InputError, on every rank, unless all ranks would compute the same.
  void expect_same_ranks() const;
  /// Continues the run being resumed, or makes a new one ready.
  void start();
  /// Trains as Trainer::run() and prints the result.
  void train(const std::optional<RunMoment>& until);

 private:
  void prepare_new();
  /// Whether no step is left.
  bool is_over() const;

  const TrainOptions& options_;
  RunInputs& inputs_;
  RunFolder& folder_;
  Communicator& ranks_;
  std::unique_ptr<Backend> backend_;
  std::vector<MemoryBound> bounds_;  // before any memory is taken
  MemoryPlan plan_;
  DnaCheck dna_;
  OutputUnits units_;
  Trained trained_;
  Trainer trainer_;
};

Run::Run(const TrainOptions& options, RunInputs& inputs, RunFolder& folder, Communicator& ranks,
         const std::vector<MemoryBound>& bounds)
    : options_(options),
      inputs_(inputs),
      folder_(folder),
      ranks_(ranks),
      backend_(open_backend(options.common)),
      bounds_(with_device(*backend_, bounds)),
      plan_(options.resume
                ? plan_of_rank(options, inputs.config, *inputs.data, ranks,
                               options.settings.batch_size, *backend_)
                : plan_that_fits(options, inputs.config, *inputs.data, ranks, bounds_, *backend_)),
      dna_(*inputs.data, inputs.facts.dna(), options.resume ? folder.last_state() : "",
           inputs.config.gene_window, share_of_dna(ranks)),
      units_(TargetTransform(options.settings, inputs.data->pairs_of(Split::kTrain)).units()),
      trained_(inputs.config, *backend_, inputs.weights, options.settings, units_),
      trainer_(options, plan_, *inputs.data, dna_, ranks, *backend_, trained_.lasting,
               trained_.model) {
  if (scales_given(options)) refuse_frozen_scales(options.settings, trained_.model);
  folder.require_space(static_cast<std::uint64_t>(trained_.model.parameter_count()) *
                       sizeof(float));
  if (!options.resume) prepare_new();
  warn_about_pairs(*inputs.data, trainer_.validation(), options.settings);
  if (!options.common.quiet) {
    say_what_it_takes(trained_.model, plan_, *inputs.data, trainer_.monitor().name(), options,
                      ranks.size());
  }
}

void Run::wait_for_small_dna() {
  // Nothing is returned on the other ranks either if one is interrupted, or throws.
  if (dna_.is_small() && !dna_.wait(options_.common.quiet) && interrupted()) {
    throw Error("interrupted before the first step");
  }
}

void Run::start() {
  if (!options_.resume) return stop_if_interrupted();
  trainer_.restore(folder_, trained_.weights);
  if (!is_over()) {
    plan_that_fits(options_, inputs_.config, *inputs_.data, ranks_, bounds_, *backend_);
  }
  if (!options_.common.quiet) {
    say_what_is_resumed(trainer_.state(), options_.settings, inputs_.facts.device,
                        backend_->name());
  }
}

bool Run::is_over() const {
  const TrainState& state = trainer_.state();
  return state.stopped || state.epoch > options_.settings.epochs || trainer_.used_up_steps();
}

void Run::prepare_new() {
  const Dataset& data = *inputs_.data;
  inputs_.fingerprint.model = trained_.weights;
  if (inputs_.optimiser) {
    inputs_.optimiser->expect_model(trained_.model.parameters().size(), trained_.weights);
    trainer_.go_on_from(*inputs_.optimiser);
    if (!options_.common.quiet) {
      say_where_it_begins(trainer_.state(), trainer_.next_rate(), options_.state);
    }
  }
  if (options_.settings.init_head == "mean") {
    start_head_at_gene_means(trainer_.targets().with_targets(data.pairs_of(Split::kTrain)),
                             trained_.model);
  }
  if (inputs_.warm_start) {
    begin_from(*inputs_.warm_start, options_, data, *backend_, trained_.model, units_);
  }
}

void Run::expect_same_ranks() const {
  if (ranks_.size() == 1) return;
  const Build here = build();
  expect_equal(
      ranks_,
      {{"build", {{"version", version()}, {"compiler", here.compiler}, {"flags", here.flags}}},
       {"device",
        {{"kind", backend_->asynchronous() ? "cuda" : "cpu"},
         {"precision", options_.common.precision}}},
       {"settings", nlohmann::json::parse(settings_json(options_.settings))},
       {"data", {{"pairs and tables", inputs_.fingerprint.data}}},
       {"weights", weights_digest(trained_.model, *backend_)},
       {"resumed from", options_.resume ? trained_.weights : ""},
       {"--state", options_.state.string()}});
}

/// monitor: what steered.
void print_result(const RunFolder& folder, const Trainer& trainer, const std::string& monitor) {
  const TrainState& state = trainer.state();
  const char* const end = state.stopped             ? "\t(stopped early)"
                          : trainer.used_up_steps() ? "\t(all --max-steps are done)"
                                                    : "";
  std::cout << "epochs\t" << state.epoch - 1 << end << '\n'
            << "best epoch\t" << state.best_epoch << '\n'
            << "best validation " << monitor << '\t'
            << (std::isfinite(state.best_metric) ? format_number(state.best_metric) : "undefined")
            << (trainer.validation().leaves_out_unseen() ? "\t(genes with training pairs)\n" : "\n")
            << "model\t" << path_text(folder.best_model()) << '\n';
}

void Run::train(const std::optional<RunMoment>& until) {
  if (folder_.writes()) {
    folder_.begin(config_json(options_, inputs_.began, inputs_.config, inputs_.fingerprint.data),
                  run_provenance(options_, inputs_.fingerprint, *backend_, ranks_.size()));
  }
  if (!options_.resume) trainer_.save(folder_);
  trainer_.run(folder_, until);
  if (!folder_.writes()) return;
  if (!until) print_result(folder_, trainer_, options_.settings.monitor);
  report_profile(*backend_, folder_.path());
}

}  // namespace

void train(TrainOptions* options, Communicator& ranks, const std::optional<RunMoment>& until) {
  std::optional<RunFolder> folder;
  together(ranks, [&] {
    if (ranks.rank() > 0) return;
    if (!options->resume) keep_inputs(*options);
    // Repairs what a killed run left, before the other ranks read it.
    folder.emplace(options->common.out, options->resume, options->common.overwrite);
    if (options->resume) go_back_to_whole_save(*folder);
  });
  if (!folder) folder.emplace(options->common.out, RunFolder::OfAnother());
  std::optional<RunInputs> inputs;
  together(ranks, [&] { inputs.emplace(options, *folder); });
  std::vector<MemoryBound> bounds;
  together(ranks, [&] { bounds = bounds_among(ranks); });
  std::optional<Run> run;
  together(ranks, [&] { run.emplace(*options, *inputs, *folder, ranks, bounds); });
  together(ranks, [&] { run->join_devices(); });
  together(ranks, [&] { run->wait_for_small_dna(); });
  together(ranks, [&] { run->expect_same_ranks(); });
  together(ranks, [&] { run->start(); });
  run->train(until);
}

}  // namespace cdt
