// Pairs in lines for a reader.
#pragma once

#include <string>

#include "apps/attribute/place.h"
#include "apps/common/format.h"

namespace cdt {

/// ENHANCER:GENE, as --pair takes it.
inline std::string pair_name(const Dataset& data, const Pair& pair) {
  return enhancer_of(data, pair).name + ":" + gene_of(data, pair);
}

}  // namespace cdt
