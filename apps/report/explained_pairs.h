// Selects the explained pairs that a figure uses, describes the others (a window of zeros or of
// equal scores has no peak, model/stats/profile.h), and chooses the pair to show in detail.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "apps/report/html.h"
#include "apps/report/material.h"

namespace cdt {

/// Pairs whose windows are defined for all requested methods, in the order of the attribution.
struct DefinedPairs {
  std::vector<const AttributedPair*> pairs;
  std::map<std::string, std::int64_t> left_out;  // the others by why: "gradient is zero everywhere"
  std::int64_t all = 0;                          // explained pairs
};
/// Selects the pairs; the attribution must hold these methods.
DefinedPairs defined_pairs(const Attribution& attribution, const std::vector<std::string>& methods);

/// "n = 100 pairs", or "n = 72 of 100 pairs, left out: 28 whose gradient is zero everywhere".
std::string n_text(const DefinedPairs& defined);

/// Why a figure of top bins is left out if all_are_top(bins).
std::string all_top_text(std::int64_t bins);

/// Adds cautions: attention and gradient windows without a peak, explained pairs of genes that were
/// never trained on.
void weigh_windows(const Attribution& attribution, std::vector<Html>* out);

/// The pair whose windows are shown, and how it was chosen.
struct ShownPair {
  const AttributedPair* pair = nullptr;
  std::string what;  // "The chosen pair"
};
/// Returns the pair of --pair, or else the one with the strongest measured effect (the first if
/// none is measured), if possible among those of trained genes with both peaks. Throws InputError
/// if --pair names none; the attribution must have pairs.
ShownPair shown_pair(const Material& material);

}  // namespace cdt
