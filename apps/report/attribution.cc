// The attribution folder of cdt-attribute, as far as a report needs it (material.h).
#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "apps/common/predictions.h"
#include "apps/report/material.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/npy.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "io/genome/assembly.h"

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

/// Enhancer, gene and beta of every pair of the data set.
using Measurements = std::set<std::tuple<std::int32_t, std::int32_t, float>>;

Measurements measurements(const Dataset& data) {
  Measurements out;
  for (const Pair& pair : data.pairs) out.insert({pair.enhancer, pair.gene, pair.beta});
  return out;
}

/// Whether a row is of a gene that was never trained: as recorded, else by the data set.
class Untrained {
 public:
  Untrained(const nlohmann::json& summary, const Dataset& data)
      : is_recorded_known_(value_at(summary, "pairs_of_untrained_genes").is_number()),
        training_(data) {}
  bool is(const TsvFile& file, int column, std::int32_t gene) const {
    if (!file.has(column)) return training_.is_untrained(gene);
    return is_recorded_known_ && file.field(column) == "0";
  }

 private:
  bool is_recorded_known_;
  GeneTraining training_;
};

void read_pair_rows(const fs::path& path, const Dataset& data, Attribution* out) {
  constexpr int kZeroDna = 4, kTrainPairs = 5;
  TsvFile file(path, {"enhancer", "gene", "beta", "prediction"}, {"zero_dna", "gene_train_pairs"});
  const Untrained untrained(out->summary, data);
  const Measurements measured = measurements(data);
  while (file.next()) {
    AttributedPair pair;
    pair.row = out->rows();
    pair.enhancer = data.find_enhancer(std::string(file.field(0)));
    pair.gene = data.find_gene(std::string(file.field(1)));
    if (pair.enhancer < 0) file.fail(0, "not in the data set: " + std::string(file.field(0)));
    if (pair.gene < 0) file.fail(1, "not in the data set: " + std::string(file.field(1)));
    pair.beta = number_field(file, 2);
    pair.prediction = number_field(file, 3);
    if (!std::isnan(pair.beta) &&
        measured.count({pair.enhancer, pair.gene, static_cast<float>(pair.beta)}) == 0) {
      file.fail(2, "made from another data set: " + data.directory.string() +
                       " has no such effect for this pair: " + std::string(file.field(2)));
    }
    pair.untrained = untrained.is(file, kTrainPairs, pair.gene);
    const bool zero = file.has(kZeroDna) && file.field(kZeroDna) == "1";
    (zero ? out->without_dna : out->pairs).push_back(pair);
  }
  if (out->rows() == 0) throw InputError(path.string(), "rows", "there are no pairs");
}

nlohmann::json read_summary(const fs::path& path, const Dataset& data) {
  nlohmann::json summary = parse_json_file(path);
  JsonReader reader(summary, path.string());
  const std::string format = reader.string("format");
  if (format != "cdt-attribution") {
    reader.fail("format", expected_got("another file", "cdt-attribution", format));
  }
  reader.integer("version", 1, 1);
  const std::int64_t bins = reader.integer("bins", 1);
  if (bins != data.bins) {
    reader.fail("bins", expected_got("made from another data set", std::to_string(data.bins),
                                     std::to_string(bins)));
  }
  return summary;
}

/// Methods beyond the two defaults, as summary.json lists them.
void add_further_methods(Attribution* out) {
  const nlohmann::json& listed = value_at(out->summary, "methods");
  if (!listed.is_object()) return;
  for (const auto& [name, numbers] : listed.items()) {
    const fs::path file = out->directory / "methods" / (name + ".npy");
    const bool plain = name.find('/') == std::string::npos;
    if (!plain || out->find(name) != nullptr || !fs::exists(file)) continue;
    out->methods.push_back({name, string_at(numbers, "meaning"),
                            value_at(numbers, "signed") == nlohmann::json(true), NpyFile(file)});
  }
}

}  // namespace

std::vector<float> MethodScores::profile(const AttributedPair& pair) const {
  std::vector<float> out = file.row(pair.row);
  if (is_signed) {
    std::transform(out.begin(), out.end(), out.begin(), [](float v) { return std::fabs(v); });
  }
  return out;
}

const MethodScores* Attribution::find(const std::string& method) const {
  const auto found = std::find_if(methods.begin(), methods.end(),
                                  [&](const MethodScores& m) { return m.name == method; });
  return found == methods.end() ? nullptr : &*found;
}

bool Attribution::explains(std::int32_t enhancer) const {
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const AttributedPair& pair) { return pair.enhancer == enhancer; });
}

std::int64_t chromosome_end(const Material& material, const std::string& chrom) {
  const nlohmann::json nothing;
  const nlohmann::json& told =
      material.attribution ? value_at(material.attribution->summary, "chromosome_sizes") : nothing;
  if (!told.is_object()) return ChromosomeSizes(material.data.assembly).size(chrom);
  const auto found = told.find(chrom);
  return found != told.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

Attribution read_attribution(const fs::path& directory, const Dataset& data) {
  if (!fs::is_directory(directory)) {
    throw InputError(directory.string(), "--attribution",
                     "no such folder; cdt-attribute --out makes one");
  }
  Attribution out;
  out.directory = directory;
  out.summary = read_summary(directory / "summary.json", data);
  read_pair_rows(directory / "pairs.tsv", data, &out);
  out.methods.push_back({"attention", "DNA to RNA attention of the target gene, mean over heads",
                         false, NpyFile(directory / "attention.npy")});
  out.methods.push_back({"gradient", "L2 norm over features of d prediction / d DNA input", false,
                         NpyFile(directory / "gradient.npy")});
  add_further_methods(&out);
  for (const MethodScores& method : out.methods) {
    method.file.expect_shape({out.rows(), data.bins});
  }
  const fs::path command = directory / "command.json";
  if (fs::exists(command)) {
    const nlohmann::json recorded = parse_json_file(command);
    out.command = string_at(recorded, "command_line");
    out.model = unescape_bytes(string_at(recorded, "model"));
    out.data = unescape_bytes(string_at(recorded, "data"));
  }
  return out;
}

}  // namespace cdt
