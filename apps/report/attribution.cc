#include "apps/report/attribution.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/common/provenance.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

double number_field(const TsvFile& file, int column) {
  double value = 0;
  if (!parse_double(file.field(column), &value)) {
    file.fail(column, "not a number: " + std::string(file.field(column)));
  }
  return value;
}

void read_pair_rows(const fs::path& path, const Dataset& data, Attribution* out) {
  std::vector<std::string> columns{"enhancer",   "gene",     "beta",
                                   "prediction", "zero_dna", "gene_train_pairs"};
  const auto sample_column = static_cast<int>(columns.size());
  if (!data.samples.empty()) columns.emplace_back("sample");
  const NameIndex samples = index_names(data.samples);
  TsvFile file(path, columns);
  while (file.next()) {
    AttributedPair pair;
    pair.row = out->rows();
    pair.enhancer = data.find_enhancer(std::string(file.field(0)));
    pair.gene = data.find_gene(std::string(file.field(1)));
    if (pair.enhancer < 0) file.fail(0, "not in the data set: " + std::string(file.field(0)));
    if (pair.gene < 0) file.fail(1, "not in the data set: " + std::string(file.field(1)));
    if (!samples.empty()) {
      const auto found = samples.find(std::string(file.field(sample_column)));
      if (found == samples.end()) {
        file.fail(sample_column, "not in the data set: " + std::string(file.field(sample_column)));
      }
      pair.sample = found->second;
    }
    pair.beta = number_field(file, 2);
    pair.prediction = number_field(file, 3);
    pair.untrained = out->summary.untrained.has_value() && file.field(5) == "0";
    (file.field(4) == "1" ? out->without_dna : out->pairs).push_back(pair);
  }
  if (out->rows() == 0) throw InputError(path.string(), "rows", "there are no pairs");
}

/// Opens the scores of every method, attention and gradient first.
std::vector<MethodWindows> open_scores(const fs::path& directory,
                                       const AttributionSummary& summary) {
  std::vector<MethodWindows> out;
  for (const char* method : {"attention", "gradient"}) {
    out.push_back({method, summary.method(method)->is_signed,
                   NpyFile(directory / (std::string(method) + ".npy"))});
  }
  for (const auto& [name, numbers] : summary.methods) {
    if (name == "attention" || name == "gradient") continue;
    if (name.find('/') != std::string::npos) {
      throw InputError((directory / "summary.json").string(), "methods." + name, "is no method");
    }
    out.push_back({name, numbers.is_signed, NpyFile(directory / "methods" / (name + ".npy"))});
  }
  return out;
}

}  // namespace

std::vector<float> MethodWindows::profile(const AttributedPair& pair) const {
  std::vector<float> out = file.row(pair.row);
  if (is_signed) {
    std::transform(out.begin(), out.end(), out.begin(), [](float v) { return std::fabs(v); });
  }
  return out;
}

const MethodWindows* Attribution::find(const std::string& method) const {
  const auto found = std::find_if(methods.begin(), methods.end(),
                                  [&](const MethodWindows& m) { return m.name == method; });
  return found == methods.end() ? nullptr : &*found;
}

bool Attribution::explains(std::int32_t enhancer) const {
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const AttributedPair& pair) { return pair.enhancer == enhancer; });
}

AttributionSummary read_summary(const fs::path& path, const std::string& command) {
  const nlohmann::json json = parse_json_file(path);
  const std::string source = path.string();
  expect_version(json, source, AttributionSummary::kFormat, AttributionSummary::kVersion,
                 "cdt-attribute", command);
  auto out = read_fields<AttributionSummary>(json, source);
  for (const char* method : {"attention", "gradient"}) {
    if (out.method(method) == nullptr) {
      throw InputError(source, std::string("methods.") + method, "is missing");
    }
  }
  if (out.effects && out.effects->bins_at_a_time < 1) {
    throw InputError(
        source, "occlusion_vs_gradient.bins_at_a_time",
        expected_got("is wrong", "at least 1", std::to_string(out.effects->bins_at_a_time)));
  }
  return out;
}

Attribution read_attribution(const fs::path& directory, const PageSource& source) {
  if (!fs::is_directory(directory)) {
    throw InputError(directory.string(), "--attribution",
                     "no such folder; cdt-attribute --out makes one");
  }
  Attribution out;
  out.directory = directory;
  out.command = recorded_command(directory);
  out.summary = read_summary(directory / "summary.json", out.command);
  source.expect(directory, "the attribution", out.summary.fingerprint);
  read_pair_rows(directory / "pairs.tsv", source.data, &out);
  out.methods = open_scores(directory, out.summary);
  for (const MethodWindows& method : out.methods) {
    method.file.expect_shape({out.rows(), source.data.bins});
  }
  const fs::path maps = directory / "maps" / "maps.json";
  if (fs::exists(maps)) out.maps = read_fields<MapFiles>(parse_json_file(maps), maps.string());
  return out;
}

}  // namespace cdt
