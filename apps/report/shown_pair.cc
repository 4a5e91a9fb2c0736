// Which pair the page looks at closely (figures.h).
#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "apps/report/defined_pairs.h"
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

/// Those to choose from, and what tells them from the other explained pairs.
struct Candidates {
  std::vector<const AttributedPair*> pairs;
  std::string what;
};

/// Narrows them to those of which `is` holds, if there are any.
void prefer(Candidates* some, const char* what,
            const std::function<bool(const AttributedPair*)>& is) {
  std::vector<const AttributedPair*> left;
  std::copy_if(some->pairs.begin(), some->pairs.end(), std::back_inserter(left), is);
  if (left.empty() || left.size() == some->pairs.size()) return;
  some->pairs = std::move(left);
  some->what += what;
}

/// With DNA; of a gene that was trained on and with a peak in both windows, as far as there are
/// any.
Candidates candidates(const Attribution& attribution) {
  Candidates out;
  for (const AttributedPair& pair : attribution.pairs) out.pairs.push_back(&pair);
  if (!attribution.without_dna.empty()) out.what = " with DNA";
  prefer(&out, " of a gene that was trained on", [](const auto* pair) { return !pair->untrained; });
  const DefinedPairs defined = defined_pairs(attribution, {"attention", "gradient"});
  const std::set<const AttributedPair*> peaked(defined.pairs.begin(), defined.pairs.end());
  prefer(&out, " with both peaks", [&](const auto* pair) { return peaked.count(pair) > 0; });
  return out;
}

/// -1 where the effect was not measured.
double strength(const AttributedPair& pair) {
  return std::isfinite(pair.beta) ? std::fabs(pair.beta) : -1.0;
}

}  // namespace

ShownPair shown_pair(const Material& material) {
  if (!material.pair.empty()) return {&chosen_pair(material), "The chosen pair"};
  const Attribution& attribution = *material.attribution;
  const Candidates some = candidates(attribution);
  const std::vector<const AttributedPair*>& pairs = some.pairs;
  const auto strongest = *std::max_element(
      pairs.begin(), pairs.end(), [](auto* a, auto* b) { return strength(*a) < strength(*b); });
  const auto as_strong = std::count_if(pairs.begin(), pairs.end(), [&](const auto* pair) {
    return strength(*pair) == strength(*strongest);
  });
  const auto measured = std::count_if(pairs.begin(), pairs.end(),
                                      [](const auto* pair) { return strength(*pair) >= 0.0; });
  const auto all = static_cast<std::ptrdiff_t>(pairs.size());
  std::string of = counted(all, "explained pair") + some.what;
  if (all == 1) return {strongest, "The only explained pair" + some.what};
  if (measured == 0) return {strongest, "The first of " + of + ", no effect being measured"};
  if (measured < all) of = count_text(measured) + " measured of " + of;
  const std::string among = " among the " + of;
  if (as_strong == 1) return {strongest, "The strongest effect" + among};
  return {strongest, "The first of " + count_text(as_strong) + " equally strong effects" + among};
}

}  // namespace cdt
