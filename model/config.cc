#include "model/config.h"

#include <array>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

std::string not_divisible(const char* what, std::int64_t hidden, std::int64_t heads) {
  return std::string(what) + " " + std::to_string(heads) + " does not divide the hidden size " +
         std::to_string(hidden);
}

/// Every integer of a configuration with its JSON name and range, in writing order.
struct SizeField {
  const char* name;
  std::int64_t CdtConfig::*member;
  std::int64_t least = 1, most = 1'000'000;
};
constexpr std::array<SizeField, 12> kSizes = {
    {{"dna_dim", &CdtConfig::dna_dim},
     {"rna_dim", &CdtConfig::rna_dim},
     {"protein_dim", &CdtConfig::protein_dim},
     {"genes", &CdtConfig::genes},
     {"hidden", &CdtConfig::hidden},
     {"heads", &CdtConfig::heads},
     {"pool_heads", &CdtConfig::pool_heads},
     {"feed_forward", &CdtConfig::feed_forward},
     {"fusion", &CdtConfig::fusion},
     {"dna_layers", &CdtConfig::dna_layers, 0, 1000},
     {"rna_layers", &CdtConfig::rna_layers, 0, 1000},
     {"protein_layers", &CdtConfig::protein_layers, 0, 1000}}};

constexpr std::int64_t kMostBins = 1'000'000;

}  // namespace

std::string config_problem(const CdtConfig& c) {
  for (const SizeField& field : kSizes) {
    const std::int64_t value = c.*field.member;
    if (value < field.least || value > field.most) {
      return std::string(field.name) + " is " + std::to_string(value) + ", not in " +
             std::to_string(field.least) + " to " + std::to_string(field.most);
    }
  }
  if (c.hidden % c.heads != 0) return not_divisible("heads", c.hidden, c.heads);
  if (c.variant == Variant::kReleased && c.hidden % c.pool_heads != 0) {
    return not_divisible("pool_heads", c.hidden, c.pool_heads);
  }
  if (!(c.dropout >= 0.0F && c.dropout < 1.0F)) return "dropout is not in [0, 1)";
  if (c.bin_position && (c.bins < 1 || c.bins > kMostBins)) {
    return "bins is " + std::to_string(c.bins) + ", not in 1 to " + std::to_string(kMostBins);
  }
  if (c.gene_window && c.readout != Readout::kGene) {
    return "a model with gene windows needs the readout gene";
  }
  return "";
}

Variant parse_variant(const std::string& text, const std::string& source) {
  if (text == "released") return Variant::kReleased;
  if (text == "paper") return Variant::kPaper;
  throw InputError(source, "variant", expected_got("unknown variant", "released or paper", text));
}

const char* variant_name(Variant variant) {
  return variant == Variant::kReleased ? "released" : "paper";
}

Readout parse_readout(const std::string& text, const std::string& source) {
  if (text == "column") return Readout::kColumn;
  if (text == "gene") return Readout::kGene;
  throw InputError(source, "readout", expected_got("unknown readout", "column or gene", text));
}

const char* readout_name(Readout readout) {
  return readout == Readout::kColumn ? "column" : "gene";
}

std::string extensions_text(const CdtConfig& config) {
  std::vector<std::string> out;
  if (config.readout == Readout::kGene) out.emplace_back(kGeneReadout);
  if (config.bin_position) out.emplace_back(kBinPosition);
  if (config.gene_position) out.emplace_back(kGenePosition);
  if (config.gene_window) out.emplace_back(kGeneWindow);
  return joined(out, ", ");
}

CdtConfig parse_model_config(const std::string& text, const std::string& source) {
  const nlohmann::json parsed = parse_json(text, source);
  JsonReader json(parsed, source);
  CdtConfig config;
  config.variant = parse_variant(json.string("variant"), source);
  for (const SizeField& field : kSizes) {
    config.*field.member = json.integer(field.name, field.least, field.most);
  }
  const double dropout = json.number("dropout");
  if (!(dropout >= 0.0 && dropout < 1.0)) {
    throw InputError(source, "dropout",
                     expected_got("out of range", "0 <= dropout < 1", format_number(dropout)));
  }
  config.dropout = static_cast<float>(dropout);
  if (json.has("readout")) config.readout = parse_readout(json.string("readout"), source);
  config.bin_position = json.has("bin_position") && json.boolean("bin_position");
  if (config.bin_position) config.bins = json.integer("bins", 1, kMostBins);
  config.gene_position = json.has("gene_position") && json.boolean("gene_position");
  config.gene_window = json.has("gene_window") && json.boolean("gene_window");
  json.no_other_keys();
  return config;
}

std::string model_config_json(const CdtConfig& config) {
  nlohmann::ordered_json out = {{"variant", variant_name(config.variant)}};
  for (const SizeField& field : kSizes) out[field.name] = config.*field.member;
  out["dropout"] = as_written(config.dropout);
  if (config.readout != Readout::kColumn) out["readout"] = readout_name(config.readout);
  if (config.bin_position) {
    out["bin_position"] = true;
    out["bins"] = config.bins;
  }
  if (config.gene_position) out["gene_position"] = true;
  if (config.gene_window) out["gene_window"] = true;
  return json_line(out);
}

void check_same_config(const CdtConfig& expected, const CdtConfig& got, const std::string& source,
                       const std::string& what) {
  const auto check = [&](const char* field, const std::string& wanted, const std::string& is) {
    if (wanted == is) return;
    throw InputError(source, field, expected_got(what, wanted, is));
  };
  check("variant", variant_name(expected.variant), variant_name(got.variant));
  for (const SizeField& field : kSizes) {
    check(field.name, std::to_string(expected.*field.member), std::to_string(got.*field.member));
  }
  const auto yes_or_no = [](bool value) { return value ? "true" : "false"; };
  check("readout", readout_name(expected.readout), readout_name(got.readout));
  check("bin_position", yes_or_no(expected.bin_position), yes_or_no(got.bin_position));
  check("bins", std::to_string(expected.bins), std::to_string(got.bins));
  check("gene_position", yes_or_no(expected.gene_position), yes_or_no(got.gene_position));
  check("gene_window", yes_or_no(expected.gene_window), yes_or_no(got.gene_window));
}

}  // namespace cdt
