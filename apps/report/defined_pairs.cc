#include "apps/report/defined_pairs.h"

#include <algorithm>
#include <cmath>

#include "apps/report/numerals.h"

namespace cdt {
namespace {

/// Why a pair does not count; empty if it does.
std::string why_left_out(const Attribution& attribution, const AttributedPair& pair,
                         const std::vector<std::string>& methods) {
  for (const std::string& method : methods) {
    const WindowState state = attribution.find(method)->state(pair);
    if (state != WindowState::kDefined) return method + " " + meaning_of(state);
  }
  return "";
}

}  // namespace

DefinedPairs defined_pairs(const Attribution& attribution,
                           const std::vector<std::string>& methods) {
  DefinedPairs out;
  out.all = attribution.rows();
  for (const AttributedPair& pair : attribution.pairs) {
    const std::string why = why_left_out(attribution, pair, methods);
    if (why.empty()) {
      out.pairs.push_back(&pair);
    } else {
      ++out.left_out[why];
    }
  }
  const auto without_dna = static_cast<std::int64_t>(attribution.without_dna.size());
  if (without_dna > 0) out.left_out["DNA is all zeros"] = without_dna;
  return out;
}

std::string n_text(const DefinedPairs& defined) {
  const auto n = static_cast<std::int64_t>(defined.pairs.size());
  if (defined.left_out.empty()) return "n = " + counted(n, "pair");
  std::string why;
  for (const auto& [reason, count] : defined.left_out) {
    why += (why.empty() ? "" : ", ") + count_text(count) + " whose " + reason;
  }
  return "n = " + count_text(n) + " of " + counted(defined.all, "pair") + ", left out: " + why;
}

std::string n_at(const nlohmann::json& object, const std::string& path) {
  return std::isnan(number_at(object, path)) ? "\u2013" : count_text(count_at(object, path));
}

void weigh_windows(const Attribution& attribution, std::vector<Html>* out) {
  bool any = false;
  for (const char* method : {"attention", "gradient"}) {
    for (const auto& [why, count] : defined_pairs(attribution, {method}).left_out) {
      if (why.rfind(method, 0) != 0) continue;
      any = true;
      out->push_back("Of " + counted(count, "explained pair") + " the " + why +
                     ": no bin is preferred, so there is no peak, and no number of it counts.");
    }
  }
  if (any && std::isnan(number_at(attribution.summary, "methods.gradient.n"))) {
    out->push_back(
        "The tables of this attribution still count such windows as peaks at the first bin: it was "
        "made by an earlier cdt-attribute, which a run of today\u2019s replaces.");
  }
  const auto is_untrained = [](const AttributedPair& pair) { return pair.untrained; };
  const std::int64_t untrained =
      std::count_if(attribution.pairs.begin(), attribution.pairs.end(), is_untrained) +
      std::count_if(attribution.without_dna.begin(), attribution.without_dna.end(), is_untrained);
  if (untrained > 0) {
    out->push_back(
        counted(untrained, "explained pair") +
        (untrained == 1 ? " is of a gene" : " are of genes") +
        " without training pairs: their outputs were never trained, so these windows show initial "
        "weights only.");
  }
}

}  // namespace cdt
