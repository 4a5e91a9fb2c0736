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
#include "apps/common/provenance.h"
#include "apps/evaluation/control_passes.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/noise_ceiling.h"
#include "apps/evaluation/position_baselines.h"
#include "apps/predict/combine.h"
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
  bool bootstrap_given = false;
  std::vector<std::string> combine;  // folders; not empty: combined, and nothing is predicted
  std::vector<std::string> against;  // with combine: folders of other studies
};

/// Throws InputError unless the options are those of a prediction, or of --combine.
void check(const Cli& cli, const PredictOptions& options) {
  const auto refuse = [](const std::string& option, const char* what) {
    throw InputError("command line", "--" + option, what);
  };
  if (options.combine.empty()) {
    if (!cli.was_set("model")) refuse("model", "required, but not given (or --combine)");
    if (cli.was_set("against")) refuse("against", "has no meaning without --combine");
    return;
  }
  for (const char* option :
       {"model", "split", "batch-size", "replicate", "no-controls", "genes", "ridge", "fold",
        "match-genes", "other-inputs", "profile", "cache", "cache-size"}) {
    if (cli.was_set(option)) refuse(option, "has no meaning with --combine: nothing is predicted");
  }
}

std::optional<double> positive_below(const PredictOptions& options) {
  if (std::isnan(options.positive_below)) return std::nullopt;
  return options.positive_below;
}

bool parse_options(int argc, char** argv, PredictOptions* options) {
  Cli cli(
      "cdt-predict",
      "Predicts the pairs of one split and evaluates the predictions. Writes "
      "OUT/predictions.tsv, OUT/controls.tsv and OUT/metrics.json. With --combine, evaluates the "
      "predictions of several folds and seeds together instead, and writes OUT/study.json, "
      "OUT/study.tsv and OUT/predictions.tsv.");
  cli.common(&options->common);
  cli.common(&options->common, {"attention"});
  cli.require({"data", "out"});
  cli.choice("split", &options->split, {"train", "val", "test"}, "pairs to predict");
  cli.number("batch-size", &options->batch_size, 1, 1024, "enhancers per forward pass");
  cli.number("bootstrap", &options->bootstrap, 100, 1000000,
             "replicates of the bootstrap over loci; with --combine the default is what the "
             "predictions had");
  cli.option("replicate", &options->replicate,
             "TSV (plain or gzip) of a second screen (enhancer, gene, beta, with samples also "
             "sample); its agreement gives a noise ceiling");
  cli.flag("no-controls", &options->no_controls,
           "skip the controls, which take at least the same time again, about five times with gene "
           "positions or samples; nothing is then concluded about DNA");
  constexpr double kAny = std::numeric_limits<double>::infinity();
  cli.number("positive-below", &options->positive_below, -kAny, kAny,
             "pairs with a smaller beta are positives, for AUPRC and AUROC; without it, those with "
             "label 1 if the data set has labels");
  add_gene_starts_option(&cli, &options->baselines.genes);
  cli.flag("ridge", &options->baselines.ridge,
           "fit the ridge regression on gene and DNA also without gene starts");
  cli.paths("combine", &options->combine,
            "folder of a prediction of one run, of a fold and seed; repeated for all of them");
  cli.paths("against", &options->against,
            "with --combine: folder of another study of the same pairs, whose ensemble is compared "
            "with this one; repeatable");
  add_model_options(&cli, &options->overrides);
  if (!cli.parse(argc, argv)) return false;
  check(cli, *options);
  options->bootstrap_given = cli.was_set("bootstrap");
  return true;
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
  if (first.size() < kFewestMeasuredTwice) {
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
  const double ceiling = noise_ceiling(truth_of(data), data, pairs, options.split);
  std::optional<Screen> screen;
  if (!options.replicate.empty()) screen = screen_of_split(options, data, pairs);
  require_free_space(out.path(),
                     pairs.size() * (kRowBytes + (options.no_controls ? 0 : kControlsRowBytes)));
  FittedBaselines baselines = fit_baselines(options.baselines, data, pairs, options.common.quiet);
  const auto seed = static_cast<std::uint64_t>(options.common.seed);
  const Predicted predicted = predict_once(
      inference, pairs, {options.batch_size, !options.no_controls, seed, options.common.quiet});
  const std::vector<std::int32_t> locus_of = loci_of(data);
  Evaluation evaluation = evaluate(
      {pairs, predicted.predictions, data.pairs_of(Split::kTrain),
       pairs_that_chose(data, options.split), locus_of, predicted.controls, baselines.predictions,
       ceiling, positive_below(options), std::move(baselines.places), inference.fingerprint,
       read_output_units(*inference.file).ranks},
      {.replicates = options.bootstrap, .seed = seed});
  evaluation.split = options.split;
  evaluation.trained_here = trained_here(*inference.file, data);
  evaluation.use = data.use;
  evaluation.folds = data.folds;
  evaluation.train_pairs = std::ssize(data.pairs_of(Split::kTrain));
  evaluation.data = path_text(options.common.data);
  evaluation.model_file = path_text(options.common.model);
  if (!baselines.gene_starts.empty()) evaluation.gene_starts = path_text(baselines.gene_starts);
  if (screen) {
    evaluation.replicate =
        compare_screens(pairs, predicted.predictions, *screen, locus_of, evaluation.bootstrap);
    evaluation.replicate->source = path_text(options.replicate);
  }
  write_prediction(
      out.path(), predictions_tsv(data, pairs, predicted.predictions, baselines.predictions),
      predicted.controls ? controls_tsv(data, pairs, predicted.controls(pairs)) : "",
      provenance_text(options.common, inference.fingerprint, inference.backend.get()), &evaluation);
  std::cout << summary_table(evaluation);
  report_profile(*inference.backend, out.path());
}

}  // namespace

int predict_main(int argc, char** argv) {
  PredictOptions options;
  if (!parse_options(argc, argv, &options)) return kExitDone;
  if (options.combine.empty()) {
    run(options);
  } else {
    const std::optional<std::int64_t> replicates(options.bootstrap);
    combine({options.common, options.combine, options.against, positive_below(options),
             options.bootstrap_given ? replicates : std::nullopt});
  }
  return kExitDone;
}

}  // namespace cdt
