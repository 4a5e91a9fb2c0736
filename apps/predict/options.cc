#include "apps/predict/options.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/common/session.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr const char* kProgram = "cdt-predict";
constexpr const char* kSummary =
    "Predicts the pairs of one split and evaluates the predictions. Writes OUT/predictions.tsv, "
    "OUT/controls.tsv and OUT/metrics.json. With --combine, evaluates the predictions of several "
    "folds and seeds together instead, and writes OUT/study.json, OUT/study.tsv and "
    "OUT/predictions.tsv.";

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
        "match-genes", "other-inputs", "profile", "cache", "cache-size", "shard", "continue"}) {
    if (cli.was_set(option)) refuse(option, "has no meaning with --combine: nothing is predicted");
  }
}

void add_options(Cli* cli, PredictOptions* options) {
  cli->common(&options->common);
  cli->common(&options->common, {"attention"});
  cli->require({"data", "out"});
  cli->choice("split", &options->split, {"train", "val", "test"}, "pairs to predict");
  cli->number("batch-size", &options->batch_size, 1, 1024, "enhancers per forward pass");
  cli->number("bootstrap", &options->bootstrap, 100, 1000000,
              "replicates of the bootstrap over loci; with --combine the default is what the "
              "predictions had");
  cli->option("replicate", &options->replicate,
              "TSV (plain or gzip) of a second screen (enhancer, gene, beta, with samples also "
              "sample); its agreement gives a noise ceiling");
  cli->flag(
      "no-controls", &options->no_controls,
      "skip the controls, which take at least the same time again, about five times with gene "
      "positions or samples; nothing is then concluded about DNA");
  constexpr double kAny = std::numeric_limits<double>::infinity();
  cli->number(
      "positive-below", &options->positive_below, -kAny, kAny,
      "pairs with a smaller beta are positives, for AUPRC and AUROC; without it, those with "
      "label 1 if the data set has labels");
  add_gene_starts_option(cli, &options->baselines.genes);
  cli->flag("ridge", &options->baselines.ridge,
            "fit the ridge regression on gene and DNA also without gene starts");
  cli->paths("combine", &options->combine,
             "folder of a prediction of one run, of a fold and seed; repeated for all of them");
  cli->paths(
      "against", &options->against,
      "with --combine: folder of another study of the same pairs, whose ensemble is compared "
      "with this one; repeatable");
  add_model_options(cli, &options->overrides);
  add_shard_options(cli, &options->shard);
}

}  // namespace

std::optional<double> PredictOptions::threshold() const {
  if (std::isnan(positive_below)) return std::nullopt;
  return positive_below;
}

PredictSettings PredictOptions::passes() const {
  return {batch_size, !no_controls, static_cast<std::uint64_t>(common.seed), common.quiet};
}

bool parse_options(int argc, char** argv, PredictOptions* options) {
  Cli cli(kProgram, kSummary);
  add_options(&cli, options);
  if (!cli.parse(argc, argv)) return false;
  check(cli, *options);
  read_shard_options(cli, {"profile"}, &options->shard);
  options->bootstrap_given = cli.was_set("bootstrap");
  return true;
}

PredictOptions recorded_options(const nlohmann::json& values, const std::string& source) {
  PredictOptions out;
  Cli cli(kProgram, kSummary);
  add_options(&cli, &out);
  cli.adopt(values, source);
  return out;
}

Inputs inputs_of(const PredictOptions& options) {
  Inputs inputs(options.common);
  inputs.add_file("--replicate", options.replicate);
  inputs.add_file("--genes", options.baselines.genes);
  return inputs;
}

}  // namespace cdt
