// Which pair the page looks at closely (figures.h).
#include <algorithm>
#include <cmath>

#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "engine/error.h"

namespace cdt {
namespace {

const AttributedPair& chosen_pair(const Material& material) {
  const Dataset& data = material.data;
  for (const AttributedPair& pair : material.attribution->pairs) {
    std::string name = data.enhancers[static_cast<std::size_t>(pair.enhancer)].name;
    name.append(":").append(data.genes[static_cast<std::size_t>(pair.gene)]);
    if (material.pair == name) return pair;
  }
  throw InputError("command line", "--pair",
                   "the attribution holds no pair with DNA named " + material.pair);
}

/// -1 where the effect was not measured.
double strength(const AttributedPair& pair) {
  return std::isfinite(pair.beta) ? std::fabs(pair.beta) : -1.0;
}

}  // namespace

ShownPair shown_pair(const Material& material) {
  if (!material.pair.empty()) return {&chosen_pair(material), "The chosen pair"};
  const Attribution& attribution = *material.attribution;
  const std::vector<AttributedPair>& pairs = attribution.pairs;
  const auto strongest = std::max_element(
      pairs.begin(), pairs.end(),
      [](const AttributedPair& a, const AttributedPair& b) { return strength(a) < strength(b); });
  const auto as_strong = std::count_if(pairs.begin(), pairs.end(), [&](const AttributedPair& pair) {
    return strength(pair) == strength(*strongest);
  });
  const auto measured = std::count_if(
      pairs.begin(), pairs.end(), [](const AttributedPair& pair) { return strength(pair) >= 0.0; });
  std::string of = counted(static_cast<std::int64_t>(pairs.size()), "explained pair");
  const std::string with_dna = attribution.without_dna.empty() ? "" : " with DNA";
  of += with_dna;
  if (pairs.size() == 1) return {&*strongest, "The only explained pair" + with_dna};
  if (measured == 0) return {&*strongest, "The first of " + of + ", no effect being measured"};
  if (measured < static_cast<std::ptrdiff_t>(pairs.size())) {
    of = count_text(measured) + " measured of " + of;
  }
  const std::string among = " among the " + of;
  if (as_strong == 1) return {&*strongest, "The strongest effect" + among};
  return {&*strongest, "The first of " + count_text(as_strong) + " equally strong effects" + among};
}

}  // namespace cdt
