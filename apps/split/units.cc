#include "apps/split/units.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "apps/common/union_find.h"
#include "engine/error.h"

namespace cdt {
namespace {

/// Numbers the keys from 0, in the order in which they appear.
template <class Key, class KeyOf>
std::vector<std::int32_t> numbered(const std::vector<Pair>& pairs, const KeyOf& key_of) {
  std::map<Key, std::int32_t> numbers;
  std::vector<std::int32_t> out;
  for (const Pair& pair : pairs) {
    out.push_back(
        numbers.emplace(key_of(pair), static_cast<std::int32_t>(numbers.size())).first->second);
  }
  return out;
}

std::vector<std::int32_t> plain_units(const Dataset& data, Unit unit,
                                      const std::vector<std::int32_t>& loci) {
  const auto by = [&](auto key_of) { return numbered<std::int32_t>(data.pairs, key_of); };
  switch (unit) {
    case Unit::kPair:
      return numbered<std::pair<std::int32_t, std::int32_t>>(
          data.pairs, [](const Pair& p) { return std::pair(p.enhancer, p.gene); });
    case Unit::kEnhancer:
      return by([](const Pair& p) { return p.enhancer; });
    case Unit::kLocus:
      return by([&](const Pair& p) { return loci[static_cast<std::size_t>(p.enhancer)]; });
    case Unit::kGene:
      return by([](const Pair& p) { return p.gene; });
    case Unit::kChromosome:
      break;
  }
  return numbered<std::string>(data.pairs,
                               [&](const Pair& p) { return enhancer_of(data, p).chrom; });
}

/// Joins the units of pairs whose enhancers share a group.
std::vector<std::int32_t> united(const std::vector<std::int32_t>& units,
                                 const std::vector<std::int32_t>& groups) {
  std::map<std::int32_t, std::int32_t> first;  // unit of each group
  UnionFind sets(units.size());
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto [at, fresh] = first.emplace(groups[i], units[i]);
    if (fresh) continue;
    sets.unite(static_cast<std::size_t>(at->second), static_cast<std::size_t>(units[i]));
  }
  std::vector<std::int32_t> out;
  for (const std::int32_t unit : units) {
    out.push_back(static_cast<std::int32_t>(sets.root(static_cast<std::size_t>(unit))));
  }
  return out;
}

}  // namespace

const char* unit_plural(Unit unit) {
  constexpr const char* kPlurals[] = {"pairs", "enhancers", "loci", "genes", "chromosomes"};
  return kPlurals[static_cast<std::size_t>(unit)];
}

Unit unit_named(const std::string& name) {
  const auto* found = std::find(std::begin(kUnitNames), std::end(kUnitNames), name);
  CDT_CHECK(found != std::end(kUnitNames), "no unit is named " + name);
  return static_cast<Unit>(found - std::begin(kUnitNames));
}

std::vector<std::int32_t> units_of(const Dataset& data, Unit unit,
                                   const std::vector<std::int32_t>& loci,
                                   const std::vector<std::int32_t>& content) {
  std::vector<std::int32_t> units = plain_units(data, unit, loci);
  if (content.empty()) return units;
  std::vector<std::int32_t> groups;
  for (const Pair& p : data.pairs) groups.push_back(content[static_cast<std::size_t>(p.enhancer)]);
  return united(units, groups);
}

std::int64_t distinct_units(const std::vector<std::int32_t>& units) {
  return static_cast<std::int64_t>(std::set(units.begin(), units.end()).size());
}

}  // namespace cdt
