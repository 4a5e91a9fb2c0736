#include "apps/report/sources.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#include "apps/common/annotation_files.h"
#include "io/format/json.h"
#include "io/format/text.h"
#include "io/genome/assembly.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kPiece = std::uintmax_t{64} << 10U;
constexpr std::uintmax_t kPieces = 1024;
// Backends and bfloat16 move predictions by less; of so many pairs another model or window moves
// one by more.
constexpr double kSamePrediction = 0.05;
constexpr std::int64_t kEnoughPairs = 10;

/// By following links, unlike is_there() of io/format/file.h: what a link to nothing means cannot
/// be read.
bool can_be_reached(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// a/b/c: a/b/c, b/c, c.
std::vector<fs::path> suffixes(const fs::path& path) {
  std::vector<fs::path> out;
  for (auto first = path.begin(); first != path.end(); ++first) {
    fs::path suffix;
    for (auto part = first; part != path.end(); ++part) suffix /= *part;
    if (!suffix.is_absolute()) out.push_back(suffix);
  }
  return out;
}

/// Where a recorded path may be now.
std::vector<fs::path> places(const fs::path& recorded, const fs::path& from) {
  std::vector<fs::path> out{recorded};
  std::error_code error;
  const fs::path folder = fs::absolute(from, error).lexically_normal();
  for (fs::path above = folder.parent_path();; above = above.parent_path()) {
    for (const fs::path& suffix : suffixes(recorded.lexically_normal())) {
      // A lone "model.safetensors" names no model.
      if (suffix.has_parent_path() || !suffix.has_extension()) out.push_back(above / suffix);
    }
    if (above == above.parent_path()) return out;
  }
}

std::string model_doubt(const std::string& what, const std::string& recorded, const fs::path& from,
                        const fs::path& mine) {
  if (recorded.empty() || !can_be_reached(mine)) return "";
  switch (same_source(recorded, from, mine, same_content)) {
    case Same::kYes:
      return "";
    case Same::kNo:
      return what + " was made with another model, " + escape_bytes(recorded) +
             ", than the run's, " + path_text(mine);
    case Same::kUnknown:
      return what + " was made with " + escape_bytes(recorded) +
             ", which is not here to be compared with the run's " + path_text(mine);
  }
  return "";
}

std::string data_doubt(const std::string& what, const std::string& recorded, const fs::path& from,
                       const Dataset& data) {
  if (recorded.empty() || same_source(recorded, from, data.directory, same_data) != Same::kNo) {
    return "";
  }
  return what + " was made from another data set, " + escape_bytes(recorded) +
         ", than the page's, " + path_text(data.directory);
}

/// The run wrote down the r of these predictions itself.
bool is_best_epoch(const RunRecord& run, const Evaluation& e) {
  constexpr double kSameR = 1e-3;
  const EpochRow* best = run.best();
  return e.split == "val" && best != nullptr &&
         std::fabs(best->val_r - e.model.metrics.pearson) < kSameR;
}

/// How far apart predictions for the same pairs are.
struct Distance {
  std::int64_t pairs = 0;
  double relative = 0;  // the largest difference over the root mean square of the predictions
};

Distance distance(const Attribution& attribution, const Evaluated& evaluated) {
  std::map<std::pair<std::int32_t, std::int32_t>, double> predicted;
  for (std::size_t i = 0; i < evaluated.pairs.size(); ++i) {
    const Pair& pair = evaluated.pairs[i];
    predicted[{pair.enhancer, pair.gene}] = double{evaluated.predictions[i]};
  }
  Distance out;
  double largest = 0;
  double square = 0;
  for (const auto* pairs : {&attribution.pairs, &attribution.without_dna}) {
    for (const AttributedPair& pair : *pairs) {
      const auto found = predicted.find({pair.enhancer, pair.gene});
      if (found == predicted.end()) continue;
      ++out.pairs;
      largest = std::max(largest, std::fabs(found->second - pair.prediction));
      square += found->second * found->second;
    }
  }
  out.relative = largest > 0 ? largest / std::sqrt(square / static_cast<double>(out.pairs)) : 0.0;
  return out;
}

void add(std::string doubt, std::vector<std::string>* out) {
  if (!doubt.empty()) out->push_back(std::move(doubt));
}

/// Equal predictions settle it, whatever the names; else it goes by the files.
void doubt_attribution(const Material& material, const fs::path& model, bool trust_predictions,
                       std::vector<std::string>* out) {
  const Attribution& a = *material.attribution;
  const std::string what = "the attribution " + path_text(a.directory);
  const Distance apart = trust_predictions ? distance(a, *material.evaluated) : Distance{};
  if (apart.pairs >= kEnoughPairs && apart.relative <= kSamePrediction) return;
  add(model_doubt(what, a.model, a.directory, model), out);
  add(data_doubt(what, a.data, a.directory, material.data), out);
  if (out->empty() && apart.relative > kSamePrediction) {
    out->push_back(what + " explains other predictions than the page's: of " +
                   std::to_string(apart.pairs) + " pairs one differs by " +
                   std::to_string(std::lround(100.0 * apart.relative)) +
                   " % of their root mean square");
  }
}

}  // namespace

bool same_content(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const std::uintmax_t size = fs::file_size(a, error);
  if (error || size != fs::file_size(b, error) || error) return false;
  std::ifstream first(a, std::ios::binary);
  std::ifstream second(b, std::ios::binary);
  const std::uintmax_t step = std::max(kPiece, size / kPieces);
  std::vector<char> x(kPiece);
  std::vector<char> y(kPiece);
  for (std::uintmax_t at = 0; at < size; at += step) {
    const auto length = static_cast<std::streamsize>(std::min(kPiece, size - at));
    first.seekg(static_cast<std::streamoff>(at));
    second.seekg(static_cast<std::streamoff>(at));
    if (!first.read(x.data(), length) || !second.read(y.data(), length)) return false;
    if (!std::equal(x.begin(), x.begin() + length, y.begin())) return false;
  }
  return true;
}

bool same_data(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  if (!can_be_reached(a / "dataset.json") || !can_be_reached(b / "dataset.json")) return false;
  const nlohmann::json first = parse_json_file(a / "dataset.json");
  const nlohmann::json second = parse_json_file(b / "dataset.json");
  const auto equal = [&](const std::string& field) {
    return same_content(a / string_at(first, field), b / string_at(second, field));
  };
  return equal("dna.file") && equal("rna.file") && equal("protein.file") && equal("enhancers") &&
         equal("pairs");
}

Same same_source(const fs::path& recorded, const fs::path& from, const fs::path& mine,
                 bool (*same)(const fs::path&, const fs::path&)) {
  Same out = Same::kUnknown;
  for (const fs::path& place : places(recorded, from)) {
    if (!can_be_reached(place)) continue;
    if (same(place, mine)) return Same::kYes;
    out = Same::kNo;
  }
  return out;
}

Doubts doubts_of(const Material& material) {
  Doubts out;
  const fs::path model = material.run.directory / "model.safetensors";
  if (material.evaluated && !material.evaluated->directory.empty()) {
    const Evaluated& e = *material.evaluated;
    const std::string what = "the prediction " + path_text(e.directory);
    if (!is_best_epoch(material.run, e.evaluation)) {
      add(model_doubt(what, e.model, e.directory, model), &out.prediction);
    }
    add(data_doubt(what, e.data, e.directory, material.data), &out.prediction);
  }
  if (material.attribution) {
    const bool trust_predictions = material.evaluated && out.prediction.empty();
    doubt_attribution(material, model, trust_predictions, &out.attribution);
  }
  const ChromosomeSizes sizes(material.data.assembly);
  for (const Annotations& annotations : material.annotations) {
    for (std::string& doubt : assembly_doubts(annotations, material.data, sizes)) {
      add(std::move(doubt), &out.annotations);
    }
  }
  return out;
}

Same trained_on_data(const Material& material) {
  const std::string recorded = unescape_bytes(string_at(material.run.config, "data"));
  return same_source(recorded, material.run.directory, material.data.directory, same_data);
}

}  // namespace cdt
