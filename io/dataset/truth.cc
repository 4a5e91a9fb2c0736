#include "io/dataset/truth.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/json.h"

namespace cdt {
namespace {

/// Reads the noise ceilings; a split without pairs has none, so it is missing or null.
std::map<std::string, double> read_ceilings(JsonReader ceilings) {
  std::map<std::string, double> out;
  for (const char* split : {"train", "val", "test"}) {
    if (!ceilings.has(split)) continue;
    JsonReader entry = ceilings.object(split);
    if (entry.value("pearson").is_null()) continue;
    const double r = entry.number("pearson");
    if (!(r > 0.0 && r <= 1.0)) entry.fail("pearson", "must be above 0 and at most 1");
    out[split] = r;
  }
  return out;
}

std::vector<std::int64_t> read_bins(JsonReader& entry, const std::string& key, std::int64_t bins) {
  std::vector<std::int64_t> out = entry.integers(key);
  for (const std::int64_t bin : out) {
    if (bin < 0 || bin >= bins) {
      entry.fail(key, "no such bin (expected 0 to " + std::to_string(bins - 1) + ", got " +
                          std::to_string(bin) + ")");
    }
    if (std::count(out.begin(), out.end(), bin) > 1) {
      entry.fail(key, "bin " + std::to_string(bin) + " is listed twice");
    }
  }
  return out;
}

const nlohmann::json& array(JsonReader& root, const char* key) {
  const nlohmann::json& value = root.value(key);
  if (!value.is_array()) root.fail(key, "must be an array");
  return value;
}

std::string entry_prefix(const std::string& key, std::size_t index) {
  return key + "[" + std::to_string(index) + "].";
}

/// Reads the two sites of a window; no bin may be of both.
TruthSites read_sites(JsonReader& entry, bool with_classes, std::int64_t bins) {
  const char* first = with_classes ? "bins_for_a" : "causal_bins";
  const char* second = with_classes ? "bins_for_b" : "decoy_bins";
  TruthSites out{read_bins(entry, first, bins), read_bins(entry, second, bins)};
  for (const std::int64_t bin : out.causal) {
    if (std::count(out.decoy.begin(), out.decoy.end(), bin) > 0) {
      entry.fail(second, "bin " + std::to_string(bin) + " is in " + first + " too");
    }
  }
  return out;
}

std::map<std::string, GeneClass> read_classes(JsonReader& root, const std::string& file) {
  std::map<std::string, GeneClass> out;
  std::size_t index = 0;
  for (const nlohmann::json& gene : array(root, "genes")) {
    JsonReader entry(gene, file, entry_prefix("genes", index++));
    const std::string name = entry.string("gene");
    const std::string of = entry.string("class");
    if (of != "a" && of != "b") entry.fail("class", "must be a or b");
    if (!out.emplace(name, of == "a" ? GeneClass::kA : GeneClass::kB).second) {
      entry.fail("gene", name + " is listed twice");
    }
  }
  if (out.empty()) root.fail("genes", "is empty");
  return out;
}

}  // namespace

double Truth::ceiling_of(const std::string& split) const {
  const auto found = ceiling.find(split);
  return found == ceiling.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

std::optional<TruthSites> Truth::sites_for(const std::string& enhancer,
                                           const std::string& gene) const {
  const auto found = sites.find(enhancer);
  if (found == sites.end()) return std::nullopt;
  if (!has_classes()) return found->second;
  const auto of = classes.find(gene);
  if (of == classes.end()) return std::nullopt;
  if (of->second == GeneClass::kA) return found->second;
  return TruthSites{found->second.decoy, found->second.causal};
}

bool has_truth(const std::filesystem::path& directory) {
  if (is_there(directory / "truth.json")) return true;
  const std::filesystem::path manifest = directory / "dataset.json";
  if (!is_there(manifest)) {
    throw InputError(manifest.string(), "open", "the data set was removed while it was in use");
  }
  return false;
}

std::optional<Truth> read_truth(const std::filesystem::path& directory, std::int64_t bins) {
  const std::filesystem::path path = directory / "truth.json";
  if (!has_truth(directory)) return std::nullopt;
  return read_truth_file(path, bins);
}

Truth read_truth_file(const std::filesystem::path& path, std::int64_t bins) {
  const nlohmann::json json = parse_json_file(path);
  JsonReader root(json, path.string());
  if (root.string("format") != "cdt-truth") root.fail("format", "must be cdt-truth");
  const bool with_classes = root.integer("version", 1, 2) == 2;
  Truth truth;
  truth.ceiling = read_ceilings(root.object("noise_ceiling"));
  std::size_t index = 0;
  if (with_classes) truth.classes = read_classes(root, path.string());
  for (const nlohmann::json& site : array(root, "sites")) {
    JsonReader entry(site, path.string(), entry_prefix("sites", index++));
    const std::string enhancer = entry.string("enhancer");
    if (!truth.sites.emplace(enhancer, read_sites(entry, with_classes, bins)).second) {
      entry.fail("enhancer", enhancer + " is listed twice");
    }
  }
  index = 0;
  for (const nlohmann::json& pair : array(root, "pairs")) {
    JsonReader entry(pair, path.string(), entry_prefix("pairs", index++));
    const std::pair name{entry.string("enhancer"), entry.string("gene")};
    truth.has_effect[name] = entry.boolean("has_effect");
    if (entry.has("noiseless_beta")) truth.noiseless[name] = entry.number("noiseless_beta");
  }
  return truth;
}

std::optional<Truth> truth_of(const Dataset& data) {
  std::optional<Truth> truth = read_truth(data.directory, data.bins);
  if (!truth || data.samples.empty()) return truth;
  throw InputError((data.directory / "truth.json").string(), "pairs",
                   "have no samples, but the RNA of the data set is of samples");
}

}  // namespace cdt
