#include "apps/predict/recorded.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "apps/common/session.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/pair_table.h"
#include "apps/evaluation/position_baselines.h"
#include "engine/error.h"
#include "io/dataset/folds.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/fingerprint.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

// Parts of Recorded.
struct RecordedTable {
  std::string digest;
  template <class V>
  void fields(V& v) {
    v("digest", digest);
  }
};
struct RecordedShuffled {
  std::int64_t draws = 0;
  template <class V>
  void fields(V& v) {
    v("draws", draws);
  }
};
struct RecordedControls {
  std::string digest;
  Nullable<RecordedShuffled> shuffled_dna;
  template <class V>
  void fields(V& v) {
    v("digest", digest);
    v("shuffled_dna", shuffled_dna);
  }
};

struct RecordedClassification {
  Nullable<double> below;
  template <class V>
  void fields(V& v) {
    v("beta_below", below);
  }
};

/// The parts of metrics.json that say what the tables beside it are.
struct Recorded {
  std::string split;
  Fingerprint fingerprint;
  Nullable<bool> trained_here;
  std::optional<std::string> outputs;  // kNormalScores, if not effects
  Nullable<std::int64_t> fold, folds;
  double train_share = 1;
  std::int64_t train_pairs = 0;
  RecordedTable predictions;
  std::optional<RecordedControls> controls;
  Nullable<RecordedClassification> classification;
  std::int64_t bootstrap = 0;  // replicates

  template <class V>
  void fields(V& v) {
    v("split", split);
    v("fingerprint", fingerprint);
    v("trained_on_these_pairs", trained_here);
    v("outputs", outputs);
    v("fold", fold);
    v("folds", folds);
    v("train_share", train_share);
    v("train_pairs", train_pairs);
    v("predictions", predictions);
    v("controls", controls);
    v("classification", classification);
    v.group("bootstrap", [&](auto& in) { in("replicates", bootstrap); });
  }
};

Recorded read_metrics(const fs::path& file) {
  const nlohmann::json json = parse_json_file(file);
  JsonReader top(json, file.string());
  if (top.string("format") != "cdt-metrics") top.fail("format", "must be cdt-metrics");
  if (top.integer("version") != kMetricsVersion) {
    top.fail("version",
             expected_got("is of another version of cdt-predict; run it again",
                          std::to_string(kMetricsVersion), std::to_string(top.integer("version"))));
  }
  return read_fields<Recorded>(json, file.string());
}

/// The pairs of a split while `fold` tests.
std::vector<Pair> pairs_in(const Dataset& data, std::int64_t fold, Split split) {
  std::vector<Pair> out;
  for (Pair pair : data.pairs) {
    if (fold > 0) pair.split = split_in_fold(pair.fold, fold, data.folds);
    if (pair.split == split) out.push_back(pair);
  }
  return out;
}

/// The baselines whose predictions the table has.
std::vector<BaselinePrediction> baselines_in(const fs::path& table) {
  std::vector<std::string> columns;
  for (const BaselineName& baseline : kBaselines) columns.push_back(baseline_column(baseline.name));
  const TsvFile file(table, {}, columns);
  std::vector<BaselinePrediction> out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (file.has(static_cast<int>(i))) out.push_back(empty_baseline(kBaselines[i].name));
  }
  return out;
}

void read_controls(const Recorded& recorded, const Dataset& data, RecordedPrediction* out) {
  out->has_controls = recorded.controls.has_value();
  if (!out->has_controls) return;
  const fs::path table = out->folder / "controls.tsv";
  expect_recorded_table(table, recorded.controls->digest);
  std::vector<std::string> names{"shuffled_genes", "mean_dna"};
  const auto& shuffled = recorded.controls->shuffled_dna;
  for (std::int64_t draw = 1; shuffled && draw <= shuffled->draws; ++draw) {
    names.push_back("shuffled_dna_" + std::to_string(draw));
  }
  std::vector<std::vector<float>> columns = read_pair_columns(table, data, out->pairs, names);
  out->controls.shuffled_genes = std::move(columns[0]);
  out->controls.mean_dna = std::move(columns[1]);
  out->controls.shuffled_dna.assign(columns.begin() + 2, columns.end());
}

}  // namespace

std::string recorded_split(const fs::path& folder) {
  const fs::path file = folder / "metrics.json";
  std::string out = read_metrics(file).split;
  for (const Split split : kSplits) {
    if (out == split_name(split)) return out;
  }
  throw InputError(file.string(), "split", expected_got("unknown", "train, val or test", out));
}

RecordedPrediction read_prediction(const fs::path& folder, const Dataset& data,
                                   const std::string& data_digest, const std::string& split) {
  const fs::path metrics = folder / "metrics.json";
  const Recorded recorded = read_metrics(metrics);
  const auto refuse = [&](const char* field, const std::string& what) {
    throw InputError(metrics.string(), field, what);
  };
  if (recorded.fingerprint.data != data_digest) {
    refuse("fingerprint.data",
           expected_got("is of another data set than " + data.directory.string(), data_digest,
                        recorded.fingerprint.data));
  }
  if (recorded.split != split) {
    refuse("split", expected_got("is another than the first prediction's", split, recorded.split));
  }
  const std::int64_t folds = recorded.folds.value_or(0);
  if (folds != data.folds) {
    refuse("folds", expected_got("the data set has another number of folds; train with --fold",
                                 std::to_string(data.folds), std::to_string(folds)));
  }
  RecordedPrediction out;
  out.folder = folder;
  out.model = recorded.fingerprint.model;
  out.extensions = recorded.fingerprint.extensions;
  out.ranks = recorded.outputs.has_value();
  out.fold = recorded.fold.value_or(0);
  out.train_share = recorded.train_share;
  out.train_pairs = recorded.train_pairs;
  if (recorded.classification) out.positive_below = recorded.classification->below;
  out.bootstrap = recorded.bootstrap;
  out.trained_here = recorded.trained_here.value_or(false);
  out.pairs = pairs_in(data, out.fold, split_named(split));
  const fs::path table = folder / "predictions.tsv";
  expect_recorded_table(table, recorded.predictions.digest);
  out.baselines = baselines_in(table);
  std::vector<std::string> names{"prediction"};
  for (const BaselinePrediction& b : out.baselines) names.push_back(baseline_column(b.name));
  std::vector<std::vector<float>> columns = read_pair_columns(table, data, out.pairs, names);
  out.predictions = std::move(columns[0]);
  for (std::size_t i = 0; i < out.baselines.size(); ++i) {
    out.baselines[i].predictions = std::move(columns[i + 1]);
  }
  read_controls(recorded, data, &out);
  return out;
}

}  // namespace cdt
