#include "apps/train/train.h"

#include <cmath>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "apps/common/cli_words.h"
#include "apps/common/optimiser_file.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/session.h"
#include "apps/programs.h"
#include "apps/train/dna_check.h"
#include "apps/train/foreword.h"
#include "apps/train/memory_plan.h"
#include "apps/train/options.h"
#include "apps/train/parameter_rates.h"
#include "apps/train/patterns.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "apps/train/state.h"
#include "apps/train/step_trace.h"
#include "apps/train/trace_json.h"
#include "apps/train/trace_svg.h"
#include "apps/train/trace_text.h"
#include "apps/train/trainer.h"
#include "apps/train/verify.h"
#include "apps/train/warm_start.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "io/dataset/folds.h"
#include "io/format/tensor_file.h"
#include "io/format/text.h"
#include "model/checkpoint.h"
#include "model/fingerprint.h"
#include "model/inputs.h"
#include "model/torch_initial.h"

namespace cdt {
namespace {

void print_trace(const StepTrace& trace, const std::string& format) {
  if (format == "json") {
    std::cout << trace_json(trace);
  } else if (format == "svg") {
    std::cout << trace_svg(trace);
  } else {
    std::cout << trace_text(trace);
  }
}

/// The optimiser of --state, whose settings it adopts; null without one.
std::unique_ptr<OptimiserFile> adopt_optimiser(TrainOptions* options) {
  if (options->state.empty()) return nullptr;
  std::unique_ptr<OptimiserFile> out = open_optimiser(options->state);
  adopt_optimiser_settings(out->numbers(), options);
  return out;
}

/// Whether --lr-scale was given to a new run, which --state may also have brought.
bool scales_given(const TrainOptions& options) {
  return options.given.count("lr-scale") > 0 && !options.resume && options.verify.empty();
}

void dry_run(TrainOptions* options) {
  std::optional<Dataset> data;
  if (!options->common.data.empty()) data.emplace(options->common.data);
  adopt_optimiser(options);
  Dataset* known = data ? &*data : nullptr;
  const CdtConfig config = choose_config(options->common.model, known, options);
  const std::int64_t bins = known != nullptr ? known->bins : kReleasedBins;
  const std::int64_t samples = known != nullptr ? known->samples_count() : 0;
  const std::unique_ptr<Backend> device = open_backend(options->common);
  const std::unique_ptr<Backend> shapes = make_shape_backend(*device);
  Arena lasting(*shapes, "lasting");
  Cdt model(config, *shapes, lasting, false);
  if (scales_given(*options)) refuse_frozen_scales(options->settings, model);
  if (options->trace) {
    print_trace(trace_step(config, options->settings, bins, *device, samples),
                options->trace_format);
    return;
  }
  // First, because it refuses what the settings may not name.
  const MemoryPlan plan = plan_memory(config, options->settings, bins, *device, samples);
  const std::set<std::string> frozen = frozen_parameters(options->settings.freeze, model);
  if (!frozen.empty()) model.make_trainable(lasting, frozen);
  print_model(std::cout, model);
  if (data && !options->init_from.empty()) {
    begin_from(*open_tensor_file(options->init_from), *options, *data, *shapes, model);
  }
  print_plan(std::cout, plan, bins, options->settings.batch_size);
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

/// Reads the facts of the run being resumed, and its settings into `options`.
RunFacts adopt_run(const RunFolder& folder, TrainOptions* options) {
  RunFacts facts = read_run_facts(folder.last_state());
  adopt_stored_settings(facts.settings, folder.last_state(), options);
  if (options->common.data.empty()) options->common.data = path_of_text(facts.data);
  options->overrides.match_genes = options->overrides.match_genes || facts.match_genes;
  options->init_from = path_of_text(facts.init_from);
  return facts;
}

/// Returns choose_config() of a resumed run after checking that its data, settings and weights
/// belong together.
CdtConfig resumed_config(const RunFolder& folder, const RunFacts& facts, Dataset* data,
                         TrainOptions* options) {
  const auto check_data = [&] { check_same_data(facts, *data, folder.last_state()); };
  if (!options->overrides.match_genes) check_data();
  const std::string settings = settings_json(options->settings);
  const CdtConfig config = choose_config(folder.last_model(), data, options);
  if (options->overrides.match_genes) check_data();
  if (settings_json(options->settings) != settings) {
    throw InputError(folder.last_state().string(), "metadata.settings",
                     "name other sizes than " + folder.last_model().string() + " has");
  }
  return config;
}

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

/// Throws InputError if --out would replace a file that this run reads.
void keep_inputs(const TrainOptions& options) {
  Inputs inputs(options.common);
  if (!options.resume) {
    inputs.add_file("--init-from", options.init_from);
    inputs.add_file("--init-from-genes", options.init_from_genes);
    inputs.add_file("--state", options.state);
  }
  inputs.add_output("--verify", options.verify, kRunOutput);
  refuse_to_overwrite_inputs(existing_files(options.common.out, kRunOutput), inputs);
}

}  // namespace

void train(TrainOptions* options, const std::optional<RunMoment>& until) {
  const CommonOptions& common = options->common;
  if (!options->resume) keep_inputs(*options);
  RunFolder folder(common.out, options->resume, common.overwrite);
  RunFacts facts;
  RunStart began = start_of(*options);
  if (options->resume) {
    facts = adopt_run(folder, options);
    keep_inputs(*options);  // the data set's path is known only now
    if (std::filesystem::exists(folder.path() / "config.json")) {
      began = read_recipe(folder.path()).start;
    }
  }
  std::unique_ptr<TensorFile> start;
  if (!options->resume && !options->init_from.empty()) start = open_tensor_file(options->init_from);
  Dataset data = open_data(common);
  Fingerprint fingerprint{.model = "", .data = digest_of_data(data)};
  use_pairs(pair_use(options->settings), &data);
  const std::unique_ptr<OptimiserFile> optimiser = adopt_optimiser(options);
  const std::filesystem::path weights = options->resume ? folder.last_model() : common.model;
  const CdtConfig config = options->resume ? resumed_config(folder, facts, &data, options)
                                           : choose_config(weights, &data, options);
  name_extensions(config, &fingerprint);
  DnaCheck dna(data, facts.dna(), options->resume ? folder.last_state() : "", config.gene_window);
  const std::unique_ptr<Backend> backend = open_backend(common);
  const MemoryPlan plan =
      plan_memory(config, options->settings, data.bins, *backend, data.samples_count());
  const OutputUnits units =
      TargetTransform(options->settings, data.pairs_of(Split::kTrain)).units();
  Trained trained(config, *backend, weights, options->settings, units);
  if (scales_given(*options)) refuse_frozen_scales(options->settings, trained.model);
  folder.require_space(static_cast<std::uint64_t>(trained.model.parameter_count()) * sizeof(float));
  Trainer trainer(*options, plan, data, dna, *backend, trained.lasting, trained.model);
  if (optimiser) {
    optimiser->expect_model(trained.model.parameters().size(), trained.weights);
    trainer.go_on_from(*optimiser);
    if (!common.quiet) say_where_it_begins(trainer.state(), trainer.next_rate(), options->state);
  }
  if (!options->resume && options->settings.init_head == "mean") {
    start_head_at_gene_means(trainer.targets().with_targets(data.pairs_of(Split::kTrain)),
                             trained.model);
  }
  if (start) begin_from(*start, *options, data, *backend, trained.model, units);
  warn_about_pairs(data, trainer.validation(), options->settings);
  if (!common.quiet) {
    say_what_it_takes(trained.model, plan, data, trainer.monitor().name(), *options);
  }
  if (dna.is_small() && !dna.wait(common.quiet)) throw Error("interrupted before the first step");
  if (options->resume) {
    trainer.restore(folder, trained.weights);
    if (!common.quiet) {
      say_what_is_resumed(trainer.state(), options->settings, facts.device, backend->name());
    }
  } else {
    fingerprint.model = trained.weights;
    stop_if_interrupted();
  }
  folder.begin(config_json(*options, began, config, fingerprint.data),
               run_provenance(*options, fingerprint, *backend));
  if (!options->resume) trainer.save(folder);
  trainer.run(folder, until);
  if (!until) print_result(folder, trainer, options->settings.monitor);
  report_profile(*backend, folder.path());
}

int train_main(int argc, char** argv) {
  TrainOptions options;
  if (!parse_train_options(argc, argv, &options)) return kExitDone;
  if (options.dry_run) {
    dry_run(&options);
    return kExitDone;
  }
  catch_interrupts("cdt-train", "steps since the last saved state are lost");
  if (!options.verify.empty()) return verify(options);
  train(&options, {});
  return kExitDone;
}

}  // namespace cdt
