// Everything a report is made of, read and checked (docs/formats.md): the data set, the run that
// was trained on it, the evaluation of its model, and an attribution.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/evaluation/evaluation.h"
#include "io/dataset/dataset.h"
#include "io/dataset/truth.h"
#include "io/format/npy.h"
#include "io/genome/annotations.h"
#include "model/stats/bootstrap.h"
#include "model/stats/profile.h"

namespace cdt {

/// One line of metrics.jsonl; NaN where it says null.
struct EpochRow {
  std::int64_t epoch = 0;
  double lr = 0, train_loss = 0, val_loss = 0, train_r = 0, val_r = 0;
  bool best = false;
  /// r of the validation pairs whose gene has training pairs, where these alone chose the best
  /// epoch; else NaN.
  double steering_r = std::numeric_limits<double>::quiet_NaN();
};

struct RunRecord {  // NOLINT(bugprone-exception-escape): json moves without throwing
  std::filesystem::path directory;
  std::vector<EpochRow> epochs;  // empty: no epoch is finished
  nlohmann::json config;         // config.json
  std::string command;           // a cdt-train line that starts the same run
  bool has_model = false;        // model.safetensors is there
  std::int64_t parameters = 0;   // of it

  /// The last epoch marked best: the one whose weights were kept; null if there is none.
  const EpochRow* best() const;
};
/// InputError if the folder is no run directory.
RunRecord read_run(const std::filesystem::path& directory);

/// Predictions of one split and their evaluation.
struct Evaluated {
  std::filesystem::path directory;  // of cdt-predict; empty: predicted here
  std::string model, data;          // as it wrote them down
  std::vector<Pair> pairs;
  std::vector<float> predictions;
  Evaluation evaluation;
  std::string command;  // the cdt-predict line that makes the same numbers
};

struct AttributedPair {
  std::int64_t row = 0;                 // of pairs.tsv and of every array of the folder
  std::int32_t enhancer = 0, gene = 0;  // rows of the data set
  double beta = 0;                      // NaN: not measured
  double prediction = 0;
  bool untrained = false;  // its gene has no training pair, where that is known
};

/// The scores of one method, a row (L) per row of pairs.tsv.
struct MethodScores {
  std::string name, meaning;
  bool is_signed = false;
  NpyFile file;

  /// The pair's scores; the absolute values of a signed method.
  std::vector<float> profile(const AttributedPair& pair) const;
  /// Of a pair with DNA: whether its window has a peak.
  WindowState state(const AttributedPair& pair) const { return window_state(file.row(pair.row)); }
};

struct Attribution {  // NOLINT(bugprone-exception-escape): json moves without throwing
  std::filesystem::path directory;
  /// Those with DNA: of a window of zeros there is nothing to explain.
  std::vector<AttributedPair> pairs;
  std::vector<AttributedPair> without_dna;
  std::vector<MethodScores> methods;  // attention and gradient first
  nlohmann::json summary;             // summary.json
  std::string command, model, data;   // as it wrote them down; empty: it did not
  const MethodScores* find(const std::string& method) const;
  /// A pair with DNA is of this enhancer.
  bool explains(std::int32_t enhancer) const;
  /// Of pairs.tsv.
  std::int64_t rows() const { return static_cast<std::int64_t>(pairs.size() + without_dna.size()); }
};
/// InputError if the folder is no attribution, or one of another data set.
Attribution read_attribution(const std::filesystem::path& directory, const Dataset& data);

struct Material {
  const Dataset& data;
  std::string command;  // the cdt-report line
  std::string pair;     // ENHANCER:GENE that it names; empty: none
  RunRecord run;
  std::optional<Truth> truth;
  std::optional<Evaluated> evaluated;      // absent: the run has no model yet
  std::optional<Attribution> attribution;  // absent: not asked for
  std::vector<Annotations> annotations;    // elements to draw under the windows
};

/// The end of a chromosome: what the attribution was told, else that of the assembly; 0: not known.
std::int64_t chromosome_end(const Material& material, const std::string& chrom);

/// The value at "methods.gradient.edge_share", or null.
const nlohmann::json& value_at(const nlohmann::json& object, const std::string& path);
/// The same as a number; NaN if it is none.
double number_at(const nlohmann::json& object, const std::string& path);
/// The number as a count; 0 if it is none, or past 2^53.
std::int64_t count_at(const nlohmann::json& object, const std::string& path);
/// As text; empty if it is none.
std::string string_at(const nlohmann::json& object, const std::string& path);
/// Of [low, high]; NaN if it is none.
Interval interval_at(const nlohmann::json& object, const std::string& path);

}  // namespace cdt
