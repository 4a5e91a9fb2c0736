#include "apps/report/explained_pairs.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "apps/report/numerals.h"
#include "engine/error.h"

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
      out->push_back(
          "In " + counted(count, "explained pair") + " the " + why +
          ": no bin is preferred, so the window has no peak and is left out of all numbers.");
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

std::string all_top_text(std::int64_t bins) {
  return "All " + counted(bins, "bin") +
         " of a window are top bins, so their overlap shows nothing.";
}

namespace {

const AttributedPair& chosen_pair(const Material& material) {
  const Dataset& data = material.data;
  for (const AttributedPair& pair : material.attribution->pairs) {
    if (material.pair == pair_name(data, pair)) return pair;
  }
  throw InputError("command line", "--pair",
                   "the attribution holds no pair with DNA named " + material.pair);
}

/// Pairs to choose from, and what distinguishes them from the other explained pairs.
struct Candidates {
  std::vector<const AttributedPair*> pairs;
  std::string what;
};

/// Keeps only the pairs for which `is` holds, if there are any.
void prefer(Candidates* some, const char* what,
            const std::function<bool(const AttributedPair*)>& is) {
  std::vector<const AttributedPair*> left;
  std::copy_if(some->pairs.begin(), some->pairs.end(), std::back_inserter(left), is);
  if (left.empty() || left.size() == some->pairs.size()) return;
  some->pairs = std::move(left);
  some->what += what;
}

/// Pairs with DNA; if possible only those of a trained gene and with a peak in both windows.
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

/// Absolute effect, or -1 if it was not measured.
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
