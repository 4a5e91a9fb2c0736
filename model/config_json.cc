#include "model/config_json.h"

#include <array>

#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kLargestSize = 1'000'000;  // as config_problem()
constexpr std::int64_t kMostLayers = 1000;

/// Every integer of a configuration under its JSON name, in writing order; layers may be 0.
struct SizeField {
  const char* name;
  std::int64_t CdtConfig::*member;
  bool layers = false;
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
     {"dna_layers", &CdtConfig::dna_layers, true},
     {"rna_layers", &CdtConfig::rna_layers, true},
     {"protein_layers", &CdtConfig::protein_layers, true}}};

}  // namespace

CdtConfig parse_model_config(const std::string& text, const std::string& source) {
  const nlohmann::json parsed = parse_json(text, source);
  JsonReader json(parsed, source);
  CdtConfig config;
  config.variant = parse_variant(json.string("variant"), source);
  for (const SizeField& field : kSizes) {
    config.*field.member =
        json.integer(field.name, field.layers ? 0 : 1, field.layers ? kMostLayers : kLargestSize);
  }
  const double dropout = json.number("dropout");
  if (!(dropout >= 0.0 && dropout < 1.0)) {
    throw InputError(source, "dropout",
                     expected_got("out of range", "0 <= dropout < 1", format_number(dropout)));
  }
  config.dropout = static_cast<float>(dropout);
  json.no_other_keys();
  return config;
}

std::string model_config_json(const CdtConfig& config) {
  std::string out = "{\"variant\":\"" + std::string(variant_name(config.variant)) + "\"";
  for (const SizeField& field : kSizes) {
    out += ",\"" + std::string(field.name) + "\":" + std::to_string(config.*field.member);
  }
  return out + ",\"dropout\":" + format_number(config.dropout) + "}";
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
}

}  // namespace cdt
