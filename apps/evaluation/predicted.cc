#include "apps/evaluation/predicted.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "apps/common/memory_check.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "engine/error.h"
#include "io/format/text.h"
#include "model/dna_feed.h"

namespace cdt {
namespace {

void expect_finite(const Dataset& data, const Pair& pair, float prediction) {
  if (std::isfinite(prediction)) return;
  throw Error("the prediction for enhancer " + enhancer_of(data, pair).name + ", gene " +
              gene_of(data, pair) + " is not a finite number");
}

/// Contexts that the tasks predict, counting all rounds.
std::int64_t count_contexts(std::span<const PassTask> tasks) {
  std::size_t out = 0;
  for (const PassTask& task : tasks) out += task.contexts.size();
  return static_cast<std::int64_t>(out);
}

/// Mean of the DNA of all enhancers of the split; nothing if no task needs it, since all DNA is
/// read for it.
std::vector<float> window_for(std::span<const PassTask> tasks, const Dataset& data,
                              const std::vector<std::int32_t>& enhancers) {
  const bool needed = std::any_of(tasks.begin(), tasks.end(),
                                  [](const PassTask& task) { return task.round == kMeanRound; });
  if (!needed) return {};
  return mean_window(data, enhancers, [] {
    stop_if_interrupted();
    return true;
  });
}

/// Number of distinct enhancers of the tasks' contexts.
std::int64_t count_enhancers(const SplitPasses& passes, std::span<const PassTask> tasks) {
  std::vector<Context> of_tasks;
  for (const PassTask& task : tasks) {
    const auto begin = passes.contexts.begin();
    of_tasks.insert(of_tasks.end(), begin + static_cast<std::ptrdiff_t>(task.contexts.begin),
                    begin + static_cast<std::ptrdiff_t>(task.contexts.end));
  }
  return std::ssize(distinct_enhancers(of_tasks));
}

/// The plan of passes of `batch` enhancers, after the check that it fits.
MemoryPlan plan_that_fits(const Inference& inference, std::int64_t batch) {
  const std::vector<MemoryBound> bounds = with_device(*inference.backend, memory_bounds());
  const MemoryQuestion question{
      .option = "--batch-size",
      .subject = "a prediction of " + number_of(batch, "enhancer") + " at once",
      .asked = batch,
      .plan =
          [&](std::int64_t size) {
            return plan_prediction(inference.config, size, inference.data.bins, *inference.backend);
          },
      .already = inference.lasting.held(),
      .advice =
          [](std::int64_t fits, const std::string& needed) {
            return fits > 0 ? "--batch-size " + std::to_string(fits) + " fits"
                            : "--batch-size 1 takes up to " + needed;
          }};
  return plan_that_fits(question, bounds, *inference.backend);
}

}  // namespace

SplitPasses::SplitPasses(const CdtConfig& config, const Dataset& data,
                         const std::vector<Pair>& pairs, const PredictSettings& settings)
    : contexts(distinct_contexts(pairs)),
      rounds(rounds_of(config, data, contexts, settings.with_controls)),
      batch(std::min(static_cast<std::size_t>(settings.batch), contexts.size())),
      tasks(tasks_of(rounds, contexts, batch)) {}

void run_split_passes(
    Inference& inference, const std::vector<Pair>& pairs, const SplitPasses& passes,
    std::span<const PassTask> tasks, const PredictSettings& settings,
    const std::function<void(const PassTask& task, std::span<const float> rows)>& receive) {
  const std::vector<std::int32_t> enhancers = distinct_enhancers(pairs);
  Progress progress("predict", count_contexts(tasks), settings.quiet);
  std::int64_t done = 0;
  const auto go_on = [&] {
    stop_if_interrupted();
    progress.update(done);
    return true;
  };
  inference.model->freeze();
  const auto batch = static_cast<std::int64_t>(passes.batch);
  const MemoryPlan plan = plan_that_fits(inference, batch);
  // With controls, or in several samples, a row is read more than once.
  const bool again = settings.with_controls || passes.contexts.size() > enhancers.size();
  DnaFeed feed(inference.data, *inference.backend, inference.lasting, batch,
               again ? count_enhancers(passes, tasks) : 0, plan.device_reserve());
  Arena constants(*inference.backend, "trunks");
  PassPlace place{*inference.model, inference.tape, constants, feed, inference.data};
  std::optional<DnaFeed> gene_feed;
  if (inference.config.gene_window) {
    gene_feed.emplace(inference.data, *inference.backend, inference.lasting, batch,
                      settings.with_controls ? std::ssize(distinct_genes(pairs)) : 0,
                      plan.device_reserve(), Windows::kOfGenes);
    place.read_windows_of(&*gene_feed, pairs);
  }
  const std::vector<float> window = window_for(tasks, inference.data, enhancers);
  run_passes(
      place, passes.contexts, passes.rounds, tasks, window, settings.seed,
      [&](const PassTask& task, std::span<const float> rows) {
        receive(task, rows);
        done += static_cast<std::int64_t>(task.contexts.size());
        return go_on();
      },
      go_on);
  progress.finish();
}

Predicted predicted_from(PassTables tables, const Dataset& data, const std::vector<Pair>& pairs,
                         const PredictSettings& settings) {
  Predicted out;
  if (settings.with_controls) {
    const auto passes = std::make_shared<const ControlPasses>(tables.take());
    out.predictions = passes->real.of(pairs);
    out.controls = [passes, seed = settings.seed](const std::vector<Pair>& some) {
      return control_predictions(*passes, some, kControlDraws, seed);
    };
  } else {
    out.predictions = tables.take_plain().of(pairs);
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    expect_finite(data, pairs[i], out.predictions[i]);
  }
  return out;
}

Predicted predict_once(Inference& inference, const std::vector<Pair>& pairs,
                       const PredictSettings& settings) {
  const SplitPasses passes(inference.config, inference.data, pairs, settings);
  PassTables tables(passes.rounds, passes.contexts, inference.config.genes);
  run_split_passes(
      inference, pairs, passes, passes.tasks, settings,
      [&](const PassTask& task, std::span<const float> rows) { tables.add(task, rows); });
  return predicted_from(std::move(tables), inference.data, pairs, settings);
}

}  // namespace cdt
