// Which explained pairs a figure rests on, what is said of the others (a window of zeros or of
// equal scores has no peak, model/stats/profile.h), and which pair is shown closely.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "apps/report/html.h"
#include "apps/report/material.h"

namespace cdt {

/// The pairs whose windows of all asked methods are defined, in the order of the attribution.
struct DefinedPairs {
  std::vector<const AttributedPair*> pairs;
  std::map<std::string, std::int64_t> left_out;  // the others by why: "gradient is zero everywhere"
  std::int64_t all = 0;                          // explained pairs
};
/// The attribution holds these methods.
DefinedPairs defined_pairs(const Attribution& attribution, const std::vector<std::string>& methods);

/// "n = 100 pairs", or "n = 72 of 100 pairs, left out: 28 whose gradient is zero everywhere".
std::string n_text(const DefinedPairs& defined);

/// What to weigh: attention and gradient windows without a peak, explained pairs of genes that were
/// never trained on.
void weigh_windows(const Attribution& attribution, std::vector<Html>* out);

/// The pair whose windows are shown, and what it is among those explained.
struct ShownPair {
  const AttributedPair* pair = nullptr;
  std::string what;  // "The chosen pair"
};
/// That of --pair, else the one of the strongest measured effect, the first where none is measured,
/// among those of genes that were trained on and with both peaks, as far as there are any.
/// InputError if --pair names none; the attribution has pairs.
ShownPair shown_pair(const Material& material);

}  // namespace cdt
