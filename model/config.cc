#include "model/config.h"

#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

std::string not_divisible(const char* what, std::int64_t hidden, std::int64_t heads) {
  return std::string(what) + " " + std::to_string(heads) + " does not divide the hidden size " +
         std::to_string(hidden);
}

}  // namespace

std::string config_problem(const CdtConfig& c) {
  const std::pair<const char*, std::int64_t> sizes[] = {
      {"dna_dim", c.dna_dim},       {"rna_dim", c.rna_dim}, {"protein_dim", c.protein_dim},
      {"genes", c.genes},           {"hidden", c.hidden},   {"heads", c.heads},
      {"pool_heads", c.pool_heads}, {"fusion", c.fusion},   {"feed_forward", c.feed_forward}};
  for (const auto& [name, value] : sizes) {
    if (value < 1 || value > 1'000'000) {
      return std::string(name) + " is " + std::to_string(value) + ", not in 1 to 1000000";
    }
  }
  const std::pair<const char*, std::int64_t> layers[] = {{"dna_layers", c.dna_layers},
                                                         {"rna_layers", c.rna_layers},
                                                         {"protein_layers", c.protein_layers}};
  for (const auto& [name, value] : layers) {
    if (value < 0 || value > 1000) {
      return std::string(name) + " is " + std::to_string(value) + ", not in 0 to 1000";
    }
  }
  if (c.hidden % c.heads != 0) return not_divisible("heads", c.hidden, c.heads);
  if (c.variant == Variant::kReleased && c.hidden % c.pool_heads != 0) {
    return not_divisible("pool_heads", c.hidden, c.pool_heads);
  }
  if (!(c.dropout >= 0.0F && c.dropout < 1.0F)) return "dropout is not in [0, 1)";
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

}  // namespace cdt
