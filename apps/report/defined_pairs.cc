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

void weigh_windows(const Attribution& attribution, std::vector<Html>* out) {
  for (const char* method : {"attention", "gradient"}) {
    for (const auto& [why, count] : defined_pairs(attribution, {method}).left_out) {
      if (why.rfind(method, 0) != 0) continue;
      out->push_back("Of " + counted(count, "explained pair") + " the " + why +
                     ": no bin is preferred, so there is no peak, and no number of it counts.");
    }
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
