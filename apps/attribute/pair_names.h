// Pairs, and lists of names, in lines for a reader.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "apps/attribute/place.h"

namespace cdt {

/// ENHANCER:GENE, as --pair takes it.
inline std::string pair_name(const Dataset& data, const Pair& pair) {
  return enhancer_of(data, pair).name + ":" + gene_of(data, pair);
}

/// "2 pairs (A:X, B:Y)" for the noun "pair": their number and the first five.
inline std::string named(const std::vector<std::string>& names, const std::string& noun) {
  constexpr std::size_t kNamed = 5;
  std::string out = std::to_string(names.size()) + " " + noun + (names.size() == 1 ? " (" : "s (");
  for (std::size_t i = 0; i < std::min(kNamed, names.size()); ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  return out + (names.size() > kNamed ? ", ...)" : ")");
}

}  // namespace cdt
