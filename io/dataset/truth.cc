#include "io/dataset/truth.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

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

}  // namespace

double Truth::ceiling_of(const std::string& split) const {
  const auto found = ceiling.find(split);
  return found == ceiling.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

std::optional<Truth> read_truth(const std::filesystem::path& directory, std::int64_t bins) {
  const std::filesystem::path path = directory / "truth.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::nullopt;
  const nlohmann::json json = parse_json_file(path);
  JsonReader root(json, path.string());
  if (root.string("format") != "cdt-truth") root.fail("format", "must be cdt-truth");
  root.integer("version", 1, 1);
  Truth truth;
  truth.ceiling = read_ceilings(root.object("noise_ceiling"));
  std::size_t index = 0;
  for (const nlohmann::json& site : array(root, "sites")) {
    JsonReader entry(site, path.string(), entry_prefix("sites", index++));
    const std::string enhancer = entry.string("enhancer");
    TruthSites sites{read_bins(entry, "causal_bins", bins), read_bins(entry, "decoy_bins", bins)};
    for (const std::int64_t bin : sites.causal) {
      if (std::count(sites.decoy.begin(), sites.decoy.end(), bin) > 0) {
        entry.fail("decoy_bins", "bin " + std::to_string(bin) + " is causal too");
      }
    }
    if (!truth.sites.emplace(enhancer, std::move(sites)).second) {
      entry.fail("enhancer", enhancer + " is listed twice");
    }
  }
  index = 0;
  for (const nlohmann::json& pair : array(root, "pairs")) {
    JsonReader entry(pair, path.string(), entry_prefix("pairs", index++));
    truth.has_effect[{entry.string("enhancer"), entry.string("gene")}] =
        entry.boolean("has_effect");
  }
  return truth;
}

}  // namespace cdt
