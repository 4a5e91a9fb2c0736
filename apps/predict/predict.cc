#include <algorithm>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "apps/common/cli.h"
#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/evaluation/control_passes.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/position_baselines.h"
#include "apps/programs.h"
#include "engine/error.h"
#include "io/dataset/loci.h"
#include "io/dataset/truth.h"
#include "io/format/digest.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "model/inputs.h"

namespace cdt {
namespace {

constexpr std::size_t kRowBytes = 24;  // least size of a row of predictions.tsv

struct PredictOptions {
  CommonOptions common;
  ModelOverrides overrides;
  std::string split = "val";
  std::filesystem::path replicate, genes;
  std::int64_t batch_size = 4;
  std::int64_t bootstrap = 2000;
  bool no_controls = false;
};

bool parse_options(int argc, char** argv, PredictOptions* options) {
  Cli cli("cdt-predict",
          "Predicts the pairs of one split and evaluates the predictions. Writes "
          "OUT/predictions.tsv and OUT/metrics.json.");
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
  add_gene_starts_option(&cli, &options->genes);
  add_model_options(&cli, &options->overrides);
  return cli.parse(argc, argv);
}

/// Text of predictions.tsv. further: baselines that cannot be refitted from the table, one column
/// each.
std::string predictions_tsv(const Dataset& data, const std::vector<Pair>& pairs,
                            const std::vector<float>& predictions,
                            const std::vector<BaselinePrediction>& further) {
  std::string out = "enhancer\tgene\tbeta\tprediction";
  for (const BaselinePrediction& b : further) out += "\t" + baseline_column(b.name);
  out += '\n';
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    out += enhancer_of(data, pairs[i]).name + '\t' + gene_of(data, pairs[i]) + '\t' +
           format_number(pairs[i].beta) + '\t' + format_number(predictions[i]);
    for (const BaselinePrediction& b : further) out += '\t' + format_number(b.predictions[i]);
    out += '\n';
  }
  return out;
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
  inputs.add_file("--genes", options.genes);
  return inputs;
}

/// Writes metrics.json together with the table it was computed from, whose digest it holds, or not
/// at all; an earlier metrics.json is removed before its table is replaced. Both are on disk by
/// then.
void write_outputs(const std::filesystem::path& folder, const std::string& predictions,
                   Evaluation* evaluation) {
  const std::filesystem::path metrics = folder / "metrics.json";
  AtomicFile table(folder / "predictions.tsv");
  table.write(predictions);
  table.flush_to_disk();
  evaluation->predictions_digest = digest_of(predictions);
  AtomicFile numbers(metrics);
  numbers.write(metrics_json(*evaluation));
  numbers.flush_to_disk();
  std::error_code absent;
  std::filesystem::remove(metrics, absent);
  table.commit();
  numbers.commit();
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
  require_free_space(out.path(), pairs.size() * kRowBytes);
  const std::vector<BaselinePrediction> further =
      further_baselines(options.genes, data, pairs, options.common.quiet);
  const auto seed = static_cast<std::uint64_t>(options.common.seed);
  const Predicted predicted = predict_once(
      inference, pairs, {options.batch_size, !options.no_controls, seed, options.common.quiet});
  const std::vector<std::int32_t> locus_of = loci_of(data);
  Evaluation evaluation = evaluate(
      {pairs, predicted.predictions, data.pairs_of(Split::kTrain),
       pairs_that_chose(data, options.split), locus_of, predicted.controls, further, ceiling},
      {.replicates = options.bootstrap, .seed = seed});
  evaluation.split = options.split;
  evaluation.trained_here = trained_here(*inference.file, data);
  evaluation.fingerprint = inference.fingerprint;
  evaluation.data = path_text(options.common.data);
  evaluation.model_file = path_text(options.common.model);
  if (!options.genes.empty()) evaluation.gene_starts = path_text(options.genes);
  if (screen) {
    evaluation.replicate =
        compare_screens(pairs, predicted.predictions, *screen, locus_of, evaluation.bootstrap);
    evaluation.replicate->source = path_text(options.replicate);
  }
  write_outputs(out.path(), predictions_tsv(data, pairs, predicted.predictions, further),
                &evaluation);
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
