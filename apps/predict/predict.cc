#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "apps/common/cli.h"
#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/evaluation/control_passes.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/position_baselines.h"
#include "apps/predict/files.h"
#include "apps/programs.h"
#include "engine/error.h"
#include "io/dataset/loci.h"
#include "io/dataset/truth.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "model/inputs.h"

namespace cdt {
namespace {

// Least sizes of a row of predictions.tsv and of controls.tsv.
constexpr std::size_t kRowBytes = 24, kControlsRowBytes = 64;

struct PredictOptions {
  CommonOptions common;
  ModelOverrides overrides;
  std::string split = "val";
  std::filesystem::path replicate;
  BaselineChoice baselines;
  double positive_below = kNaN;  // NaN: positives are labelled 1
  std::int64_t batch_size = 4;
  std::int64_t bootstrap = 2000;
  bool no_controls = false;
};

bool parse_options(int argc, char** argv, PredictOptions* options) {
  Cli cli("cdt-predict",
          "Predicts the pairs of one split and evaluates the predictions. Writes "
          "OUT/predictions.tsv, OUT/controls.tsv and OUT/metrics.json.");
  cli.common(&options->common);
  cli.common(&options->common, {"attention"});
  cli.require({"data", "model", "out"});
  cli.choice("split", &options->split, {"train", "val", "test"}, "pairs to predict");
  cli.number("batch-size", &options->batch_size, 1, 1024, "enhancers per forward pass");
  cli.number("bootstrap", &options->bootstrap, 100, 1000000,
             "replicates of the bootstrap over loci");
  cli.option("replicate", &options->replicate,
             "TSV of a second screen (enhancer, gene, beta); its agreement gives a noise ceiling");
  cli.flag("no-controls", &options->no_controls,
           "skip the controls, which double the time; nothing is then concluded about DNA");
  constexpr double kAny = std::numeric_limits<double>::infinity();
  cli.number("positive-below", &options->positive_below, -kAny, kAny,
             "pairs with a smaller beta are positives, for AUPRC and AUROC; without it, those with "
             "label 1 if the data set has labels");
  add_gene_starts_option(&cli, &options->baselines.genes);
  cli.flag("ridge", &options->baselines.ridge,
           "fit the ridge regression on gene and DNA also without --genes");
  add_model_options(&cli, &options->overrides);
  return cli.parse(argc, argv);
}

double noise_ceiling(const Dataset& data, const std::string& split) {
  const std::optional<Truth> truth = read_truth(data.directory, data.bins);
  return truth ? truth->ceiling_of(split) : kNaN;
}

bool all_equal(const std::vector<float>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

/// Throws InputError if the screens share too few pairs, or if one has the same effect for all of
/// them.
void expect_comparable(const PredictOptions& options, const Screen& screen,
                       const std::vector<Pair>& pairs) {
  const auto [places, first, second] = measured_twice(pairs, screen);
  const std::string file = options.replicate.string();
  if (first.size() < kFewestPairs) {
    throw InputError(file, "rows", "fewer than three pairs of the split " + options.split);
  }
  const std::string shared = " all " + std::to_string(first.size()) + " shared pairs " +
                             "have one effect, so the two screens have no correlation";
  if (all_equal(second)) throw InputError(file, "beta", "here" + shared);
  if (all_equal(first)) throw InputError(file, "beta", "in the data set" + shared);
}

/// Reads the second screen, which is refused before predictions are made.
Screen screen_of_split(const PredictOptions& options, const Dataset& data,
                       const std::vector<Pair>& pairs) {
  ScreenFile read = read_replicate(options.replicate, data, pairs);
  expect_comparable(options, read.effects, pairs);
  const std::string skipped = read.skipped(options.replicate);
  if (!skipped.empty()) note(skipped);
  return std::move(read.effects);
}

Inputs inputs_of(const PredictOptions& options) {
  Inputs inputs(options.common);
  inputs.add_file("--replicate", options.replicate);
  inputs.add_file("--genes", options.baselines.genes);
  return inputs;
}

void run(const PredictOptions& options) {
  catch_interrupts("cdt-predict");
  const OutputFolder out(kPredictionOutput, options.common, inputs_of(options));
  Inference inference(options.common, options.overrides);
  const Dataset& data = inference.data;
  const std::vector<Pair> pairs = data.pairs_of(split_named(options.split));
  if (pairs.empty()) {
    throw InputError((data.directory / "pairs.tsv").string(), "split",
                     "no pairs in split " + options.split);
  }
  const double ceiling = noise_ceiling(data, options.split);
  std::optional<Screen> screen;
  if (!options.replicate.empty()) screen = screen_of_split(options, data, pairs);
  require_free_space(out.path(),
                     pairs.size() * (kRowBytes + (options.no_controls ? 0 : kControlsRowBytes)));
  FittedBaselines baselines = fit_baselines(options.baselines, data, pairs, options.common.quiet);
  const auto seed = static_cast<std::uint64_t>(options.common.seed);
  const Predicted predicted = predict_once(
      inference, pairs, {options.batch_size, !options.no_controls, seed, options.common.quiet});
  const std::vector<std::int32_t> locus_of = loci_of(data);
  std::optional<double> positive_below;
  if (!std::isnan(options.positive_below)) positive_below = options.positive_below;
  Evaluation evaluation =
      evaluate({pairs, predicted.predictions, data.pairs_of(Split::kTrain),
                pairs_that_chose(data, options.split), locus_of, predicted.controls,
                baselines.predictions, ceiling, positive_below, std::move(baselines.places)},
               {.replicates = options.bootstrap, .seed = seed});
  evaluation.split = options.split;
  evaluation.trained_here = trained_here(*inference.file, data);
  evaluation.fingerprint = inference.fingerprint;
  evaluation.data = path_text(options.common.data);
  evaluation.model_file = path_text(options.common.model);
  if (!options.baselines.genes.empty()) {
    evaluation.gene_starts = path_text(options.baselines.genes);
  }
  if (screen) {
    evaluation.replicate =
        compare_screens(pairs, predicted.predictions, *screen, locus_of, evaluation.bootstrap);
    evaluation.replicate->source = path_text(options.replicate);
  }
  write_prediction(
      out.path(), predictions_tsv(data, pairs, predicted.predictions, baselines.predictions),
      predicted.controls ? controls_tsv(data, pairs, predicted.controls(pairs)) : "", &evaluation);
  std::cout << summary_table(evaluation);
  report_profile(*inference.backend, out.path());
}

}  // namespace

int predict_main(int argc, char** argv) {
  PredictOptions options;
  if (parse_options(argc, argv, &options)) run(options);
  return kExitDone;
}

}  // namespace cdt
