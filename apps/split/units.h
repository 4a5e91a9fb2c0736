// Units of a split: the pairs that stay together.
#pragma once

#include <cstdint>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

enum class Unit : std::uint8_t { kPair, kEnhancer, kLocus, kGene, kChromosome };
inline constexpr const char* kUnitNames[] = {"pair", "enhancer", "locus", "gene", "chromosome"};
Unit unit_named(const std::string& name);
/// "pairs", "loci", ...
const char* unit_plural(Unit unit);

/// The unit of each pair, any number. loci: the locus of each enhancer. content: unless empty, a
/// group of each enhancer, such as near-identical windows; units that share a group become one.
std::vector<std::int32_t> units_of(const Dataset& data, Unit unit,
                                   const std::vector<std::int32_t>& loci,
                                   const std::vector<std::int32_t>& content);
std::int64_t distinct_units(const std::vector<std::int32_t>& units);

}  // namespace cdt
