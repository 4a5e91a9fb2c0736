#include "apps/train/train.h"

#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "apps/common/program.h"
#include "apps/common/session.h"
#include "apps/programs.h"
#include "apps/train/memory_plan.h"
#include "apps/train/options.h"
#include "apps/train/parameter_rates.h"
#include "apps/train/patterns.h"
#include "apps/train/ranks.h"
#include "apps/train/run_config.h"
#include "apps/train/run_start.h"
#include "apps/train/step_trace.h"
#include "apps/train/trace_json.h"
#include "apps/train/trace_svg.h"
#include "apps/train/trace_text.h"
#include "apps/train/verify.h"
#include "apps/train/warm_start.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "io/format/tensor_file.h"

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

/// Throws InputError for what only one process can do.
void refuse_ranks(const TrainOptions& options) {
  const std::string option = !options.verify.empty() ? "--verify"
                             : options.dry_run       ? "--dry-run"
                                                     : "";
  if (option.empty() || launched_ranks() == 1) return;
  throw InputError("command line", option, "is for one process, without mpirun or srun");
}

}  // namespace

int train_main(int argc, char** argv) {
  TrainOptions options;
  if (!parse_train_options(argc, argv, &options)) return kExitDone;
  refuse_ranks(options);
  if (options.dry_run) {
    dry_run(&options);
    return kExitDone;
  }
  catch_interrupts("cdt-train", "steps since the last saved state are lost");
  catch_save_requests();
  if (!options.verify.empty()) return verify(options);
  train(&options, *join_ranks(&options.common), {});
  return kExitDone;
}

}  // namespace cdt
