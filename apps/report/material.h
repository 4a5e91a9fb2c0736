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

#include "apps/common/attribution_summary.h"
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

  template <class V>
  void fields(V& v) {
    v("epoch", epoch);
    v("lr", lr);
    v("train_loss", train_loss);
    v("val_loss", val_loss);
    v("train_pearson", train_r);
    v("val_pearson", val_r);
    v("best", best);
  }
};

struct RunRecord {  // NOLINT(bugprone-exception-escape): json moves without throwing
  std::filesystem::path directory;
  std::vector<EpochRow> epochs;  // empty: no epoch is finished
  nlohmann::json config;         // config.json
  std::string command;           // a cdt-train line that starts the same run
  bool has_model = false;        // model.safetensors is there
  std::int64_t parameters = 0;   // of it
  std::string data_digest;       // of the data set it was trained on; empty: not recorded

  /// The last epoch marked best: the one whose weights were kept; null if there is none.
  const EpochRow* best() const;
};
/// InputError if the folder is no run directory.
RunRecord read_run(const std::filesystem::path& directory);

/// Predictions of one split and their evaluation.
struct Evaluated {
  std::filesystem::path directory;  // of cdt-predict; empty: predicted here
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
struct MethodWindows {
  std::string name;
  bool is_signed = false;
  NpyFile file;

  /// The pair's scores; the absolute values of a signed method.
  std::vector<float> profile(const AttributedPair& pair) const;
  /// Of a pair with DNA: whether its window has a peak.
  WindowState state(const AttributedPair& pair) const { return window_state(file.row(pair.row)); }
};

struct Attribution {
  std::filesystem::path directory;
  /// Those with DNA: of a window of zeros there is nothing to explain.
  std::vector<AttributedPair> pairs;
  std::vector<AttributedPair> without_dna;
  std::vector<MethodWindows> methods;  // attention and gradient first
  AttributionSummary summary;
  std::optional<MapFiles> maps;  // maps/maps.json
  std::string command;           // as it wrote it down; empty: it did not
  const MethodWindows* find(const std::string& method) const;
  /// A pair with DNA is of this enhancer.
  bool explains(std::int32_t enhancer) const;
  /// Of pairs.tsv.
  std::int64_t rows() const { return static_cast<std::int64_t>(pairs.size() + without_dna.size()); }
};
struct PageSource;
/// InputError if the folder is no attribution, or not one of the page's source.
Attribution read_attribution(const std::filesystem::path& directory, const PageSource& source);

struct Material {
  const Dataset& data;
  std::string command;  // the cdt-report line
  std::string pair;     // ENHANCER:GENE that it names; empty: none
  RunRecord run;
  std::string data_digest;  // of the data set
  std::optional<Truth> truth;
  std::optional<Evaluated> evaluated;      // absent: the run has no model yet
  std::optional<Attribution> attribution;  // absent: not asked for
  std::vector<Annotations> annotations;    // elements to draw under the windows
};

/// The end of a chromosome: what the attribution was told, else that of the assembly; 0: not known.
std::int64_t chromosome_end(const Material& material, const std::string& chrom);

/// InputError unless a JSON file is of this format and version; of an older version it says to run
/// `program` again, with `command` if that is known.
void expect_version(const nlohmann::json& json, const std::string& source,
                    const std::string& format, std::int64_t version, const std::string& program,
                    const std::string& command);

/// The value at "options.batch-size" of config.json, or null: the options are those of one run.
const nlohmann::json& value_at(const nlohmann::json& object, const std::string& path);
/// The same as text; empty if it is none.
std::string string_at(const nlohmann::json& object, const std::string& path);

}  // namespace cdt
