#include "apps/report/evaluated.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/common/program.h"
#include "apps/common/session.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/noise_ceiling.h"
#include "apps/evaluation/pair_table.h"
#include "apps/evaluation/position_baselines.h"
#include "apps/evaluation/predicted.h"
#include "engine/error.h"
#include "io/dataset/loci.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

void name_controls(std::optional<Controls>* controls) {
  const auto name = [](Control* control, const ControlName& its) {
    control->name = its.name;
    control->label = its.label;
  };
  if (!*controls) return;
  Controls& c = **controls;
  if (c.shuffled_dna) name(&*c.shuffled_dna, kShuffledDna);
  name(&c.mean_dna, kMeanDna);
  name(&c.shuffled_genes, kShuffledGenes);
}

/// The cdt-predict command that made a folder, as far as its metrics.json tells.
std::string predict_command(const nlohmann::json& metrics, const std::filesystem::path& directory) {
  std::string out = "cdt-predict";
  for (const char* option : {"data", "model", "split"}) {
    const auto found = metrics.find(option);
    if (found == metrics.end() || !found->is_string()) continue;
    out +=
        std::string(" --") + option + " " + shell_word(unescape_bytes(found->get<std::string>()));
  }
  return out + " --out " + shell_word(directory.string());
}

std::vector<Pair> pairs_of_split(const Dataset& data, const std::string& split) {
  std::vector<Pair> pairs = data.pairs_of(split_named(split));
  if (!pairs.empty()) return pairs;
  throw InputError((data.directory / "pairs.tsv").string(), "split", "no pairs in split " + split);
}

/// Returns the recorded controls; throws InputError if they are not over `pairs` pairs.
std::optional<Controls> controls_of(const std::optional<Controls>& recorded, std::int64_t pairs,
                                    const fs::path& file, const char* key) {
  if (recorded && recorded->pairs != pairs) {
    throw InputError(
        file.string(), std::string(key) + ".n",
        expected_got("of other pairs", std::to_string(pairs), std::to_string(recorded->pairs)));
  }
  return recorded;
}

/// The options of cdt-predict to which the baselines and the positives are due.
std::string baseline_options(const RecordedMetrics& metrics) {
  std::string out;
  if (metrics.baselines && metrics.baselines->gene_starts) {
    out += " --genes " + shell_word(unescape_bytes(*metrics.baselines->gene_starts));
  } else if (metrics.baselines && metrics.baselines->have("ridge_no_dna")) {
    out += " --ridge";
  }
  if (metrics.positives && metrics.positives->below) {
    out += " --positive-below " + format_number(*metrics.positives->below);
  }
  return out;
}

/// What an evaluation is given besides the predictions.
struct Given {
  const std::vector<BaselinePrediction>& baselines;
  ControlSource controls;                  // empty if they are recorded elsewhere or unknown
  std::optional<double> positive_below{};  // as in ToEvaluate
  Places places{};                         // empty if the numbers by distance are, too
  Fingerprint fingerprint{};
  bool ranks = false;  // as in ToEvaluate
};

void finish(const Dataset& data, const std::string& split, std::uint64_t seed,
            const std::optional<Truth>& truth, Given given, Evaluated* out) {
  const double ceiling = noise_ceiling(truth, data, out->pairs, split);
  out->evaluation = evaluate(
      {out->pairs, out->predictions, data.pairs_of(Split::kTrain), pairs_that_chose(data, split),
       loci_of(data), std::move(given.controls), given.baselines, ceiling, given.positive_below,
       std::move(given.places), std::move(given.fingerprint), given.ranks},
      {.seed = seed});
  out->evaluation.split = split;
}

}  // namespace

RecordedMetrics read_metrics(const std::filesystem::path& directory) {
  const std::string file = (directory / "metrics.json").string();
  const nlohmann::json json = parse_json_file(file);
  expect_version(json, file, "cdt-metrics", kMetricsVersion, "cdt-predict",
                 predict_command(json, directory));
  auto out = read_fields<RecordedMetrics>(json, file);
  if (out.split != "train" && out.split != "val" && out.split != "test") {
    throw InputError(file, "split", expected_got("unknown", "train, val or test", out.split));
  }
  if (out.by_distance && find_baseline(out.by_distance->baseline) == nullptr) {
    throw InputError(file, "by_distance.baseline", "no such baseline");
  }
  name_controls(&out.controls);
  name_controls(&out.tested_controls);
  return out;
}

bool RecordedMetrics::Baselines::have(std::string_view name) const {
  return std::any_of(names.begin(), names.end(),
                     [&](const BaselineName* known) { return known->name == name; });
}

std::vector<BaselinePrediction> recorded_baselines(const RecordedMetrics& metrics) {
  std::vector<BaselinePrediction> out;
  if (!metrics.baselines) return out;
  for (const BaselineName* known : metrics.baselines->names) {
    out.push_back({known->name, known->label, {}});
  }
  return out;
}

Evaluated evaluate_run(CommonOptions common, const ModelOverrides& overrides, const RunRecord& run,
                       const Dataset& data, const std::string& split,
                       const std::filesystem::path& genes, const std::optional<Truth>& truth) {
  common.model = run.directory / "model.safetensors";
  Inference inference(common, overrides);
  Evaluated out;
  out.pairs = pairs_of_split(inference.data, split);
  const auto seed = static_cast<std::uint64_t>(common.seed);
  Predicted predicted = predict_once(inference, out.pairs, {.seed = seed, .quiet = common.quiet});
  out.predictions = std::move(predicted.predictions);
  FittedBaselines baselines =
      fit_baselines({.genes = genes}, inference.data, out.pairs, common.quiet);
  finish(inference.data, split, seed, truth,
         {baselines.predictions, predicted.controls, std::nullopt, std::move(baselines.places),
          inference.fingerprint, read_output_units(*inference.file).ranks},
         &out);
  out.evaluation.trained_here = trained_here(*inference.file, inference.data);
  out.command = "cdt-predict --data " + shell_word(common.data.string()) + " --model " +
                shell_word(common.model.string()) + " --split " + split + " --seed " +
                std::to_string(common.seed) + " --out prediction";
  if (!genes.empty()) out.command += " --genes " + shell_word(genes.string());
  if (overrides.match_genes) out.command += " --match-genes";
  if (overrides.other_inputs) out.command += " --other-inputs";
  // Genes that were matched by name have other indices in the model's order than in the page's data
  // set.
  for (Pair& pair : out.pairs) {
    pair.gene = data.find_gene(inference.data.genes[static_cast<std::size_t>(pair.gene)]);
  }
  return out;
}

Evaluated read_evaluated(const fs::path& directory, const std::string& wanted,
                         const PageSource& source, std::uint64_t seed,
                         const std::optional<Truth>& truth) {
  const Dataset& data = source.data;
  const RecordedMetrics metrics = read_metrics(directory);
  const std::string& split = metrics.split;
  if (!wanted.empty() && split != wanted) {
    throw InputError(
        "command line", "--split",
        expected_got(directory.string() + " holds predictions of another split", wanted, split));
  }
  source.expect(directory, "the prediction", metrics.fingerprint);
  const fs::path table = directory / "predictions.tsv";
  expect_recorded_table(table, metrics.table_digest);
  Evaluated out;
  out.pairs = pairs_of_split(data, split);
  out.directory = directory;
  std::vector<BaselinePrediction> baselines = recorded_baselines(metrics);
  std::vector<std::string> columns{"prediction"};
  for (const BaselinePrediction& b : baselines) columns.push_back(baseline_column(b.name));
  std::vector<std::vector<float>> numbers = read_pair_columns(table, data, out.pairs, columns);
  out.predictions = std::move(numbers.front());
  for (std::size_t i = 0; i < baselines.size(); ++i) {
    baselines[i].predictions = std::move(numbers[i + 1]);
  }
  Given given{.baselines = baselines,
              .controls = {},
              .fingerprint = metrics.fingerprint,
              .ranks = metrics.outputs.has_value()};
  if (metrics.positives) given.positive_below = metrics.positives->below;
  finish(data, split, seed, truth, given, &out);
  Evaluation& e = out.evaluation;
  e.by_distance = metrics.by_distance;
  if (metrics.trained_here) {
    e.trained_here = *metrics.trained_here ? TrainedHere::kYes : TrainedHere::kNo;
  }
  const fs::path recorded = directory / "metrics.json";
  e.controls = controls_of(metrics.controls, e.pairs, recorded, "controls");
  if (e.tested_pairs < e.pairs) {
    e.tested_controls =
        controls_of(metrics.tested_controls, e.tested_pairs, recorded, "tested.controls");
  }
  out.command = "cdt-predict --data " + shell_word(data.directory.string()) + " --split " + split +
                " --model " + shell_word(unescape_bytes(metrics.model)) + " --out " +
                shell_word(directory.string());
  out.command += baseline_options(metrics);
  if (metrics.replicate && std::isfinite(metrics.replicate->pearson.value) &&
      std::isfinite(metrics.replicate->model_pearson)) {
    e.replicate = metrics.replicate;
    out.command += " --replicate " + shell_word(unescape_bytes(e.replicate->source));
  }
  return out;
}

}  // namespace cdt
