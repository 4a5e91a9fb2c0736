#include "apps/report/evaluated.h"

#include <cmath>
#include <limits>
#include <utility>

#include "apps/common/program.h"
#include "apps/common/session.h"
#include "apps/evaluation/control_passes.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/position_baselines.h"
#include "apps/report/recorded.h"
#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/json.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/inputs.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTableLimit = std::size_t{1} << 30U;

std::vector<Pair> pairs_of_split(const Dataset& data, const std::string& split) {
  std::vector<Pair> pairs = data.pairs_of(split_named(split));
  if (!pairs.empty()) return pairs;
  throw InputError((data.directory / "pairs.tsv").string(), "split", "no pairs in split " + split);
}

/// predictions.tsv is the one that metrics.json was computed from.
void expect_same_table(const fs::path& directory, const nlohmann::json& metrics) {
  const std::string recorded = string_at(metrics, "predictions.digest");
  const std::string found = digest_of(read_text_file(directory / "predictions.tsv", kTableLimit));
  if (recorded == found) return;
  throw InputError((directory / "predictions.tsv").string(), "content",
                   expected_got("is not the table that metrics.json beside it was computed from",
                                recorded.empty() ? "a digest in metrics.json" : recorded, found));
}

float finite_field(const TsvFile& file, int column) {
  float value = 0;
  if (!parse_float(file.field(column), &value) || !std::isfinite(value)) {
    file.fail(column, "not a finite number: " + std::string(file.field(column)));
  }
  return value;
}

/// controls: of the predictions; empty: they are recorded elsewhere or not known.
void finish(const Dataset& data, const std::string& split, std::uint64_t seed,
            const std::optional<Truth>& truth, const ControlSource& controls,
            std::vector<BaselinePrediction> further, Evaluated* out) {
  const double ceiling =
      truth ? truth->ceiling_of(split) : std::numeric_limits<double>::quiet_NaN();
  out->evaluation = evaluate(
      {out->pairs, out->predictions, data.pairs_of(Split::kTrain), pairs_that_chose(data, split),
       loci_of(data), controls, std::move(further), ceiling},
      {.seed = seed});
  out->evaluation.split = split;
}

}  // namespace

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
  finish(inference.data, split, seed, truth, predicted.controls,
         further_baselines(genes, inference.data, out.pairs, common.quiet), &out);
  out.evaluation.trained_here = trained_here(inference.file, inference.data);
  out.command = "cdt-predict --data " + shell_word(common.data.string()) + " --model " +
                shell_word(common.model.string()) + " --split " + split + " --seed " +
                std::to_string(common.seed) + " --out prediction";
  if (!genes.empty()) out.command += " --genes " + shell_word(genes.string());
  if (overrides.match_genes) out.command += " --match-genes";
  if (overrides.other_inputs) out.command += " --other-inputs";
  // Genes matched by name have other rows in the model's order than in the page's data set.
  for (Pair& pair : out.pairs) {
    pair.gene = data.find_gene(inference.data.genes[static_cast<std::size_t>(pair.gene)]);
  }
  return out;
}

Evaluated read_evaluated(const fs::path& directory, const std::string& wanted, const Dataset& data,
                         std::uint64_t seed, const std::optional<Truth>& truth) {
  const fs::path metrics_file = directory / "metrics.json";
  const nlohmann::json metrics = parse_json_file(metrics_file);
  JsonReader reader(metrics, metrics_file.string());
  const std::string split = reader.string("split");
  if (split != "train" && split != "val" && split != "test") {
    reader.fail("split", expected_got("unknown", "train, val or test", split));
  }
  if (!wanted.empty() && split != wanted) {
    throw InputError(
        "command line", "--split",
        expected_got(directory.string() + " holds predictions of another split", wanted, split));
  }
  expect_same_table(directory, metrics);
  Evaluated out;
  out.pairs = pairs_of_split(data, split);
  out.directory = directory;
  out.model = unescape_bytes(reader.string("model"));
  out.data = unescape_bytes(reader.string("data"));
  std::vector<BaselinePrediction> further = recorded_baselines(metrics);
  std::vector<std::string> columns;
  for (const BaselinePrediction& b : further) columns.push_back(baseline_column(b.name));
  TsvFile file(directory / "predictions.tsv", {"enhancer", "gene", "prediction", "beta"}, columns);
  for (const Pair& pair : out.pairs) {
    if (!file.next()) {
      throw InputError((directory / "predictions.tsv").string(), "rows",
                       expected_got("made from another data set", std::to_string(out.pairs.size()),
                                    std::to_string(out.predictions.size())));
    }
    const std::string& enhancer = data.enhancers[static_cast<std::size_t>(pair.enhancer)].name;
    const std::string& gene = data.genes[static_cast<std::size_t>(pair.gene)];
    if (file.field(0) != enhancer) {
      file.fail(0, expected_got("made from another data set", enhancer, file.field(0)));
    }
    if (file.field(1) != gene) {
      file.fail(1, expected_got("made from another data set", gene, file.field(1)));
    }
    float beta = 0;
    if (!parse_float(file.field(3), &beta) || beta != pair.beta) {
      file.fail(
          3, expected_got("made from another data set", format_number(pair.beta), file.field(3)));
    }
    out.predictions.push_back(finite_field(file, 2));
    for (std::size_t i = 0; i < further.size(); ++i) {
      const int column = 4 + static_cast<int>(i);
      if (file.has(column)) further[i].predictions.push_back(finite_field(file, column));
    }
  }
  std::erase_if(further, [](const BaselinePrediction& b) { return b.predictions.empty(); });
  if (file.next()) file.fail(0, "more rows than the split " + split + " has pairs");
  finish(data, split, seed, truth, {}, std::move(further), &out);
  Evaluation& e = out.evaluation;
  e.trained_here = recorded_trained_here(metrics);
  e.controls = recorded_controls(metrics, "controls", e.pairs);
  if (e.tested_pairs < e.pairs) {
    e.tested_controls = recorded_controls(metrics, "tested.controls", e.tested_pairs);
  }
  out.command = "cdt-predict --data " + shell_word(data.directory.string()) + " --split " + split +
                " --model " + shell_word(out.model) + " --out " + shell_word(directory.string());
  const std::string genes = string_at(metrics, "baselines.gene_starts");
  if (!genes.empty()) out.command += " --genes " + shell_word(unescape_bytes(genes));
  out.evaluation.replicate = recorded_replicate(metrics);
  if (out.evaluation.replicate) {
    out.command += " --replicate " + shell_word(unescape_bytes(out.evaluation.replicate->source));
  }
  return out;
}

}  // namespace cdt
