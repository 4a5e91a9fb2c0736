#include "apps/report/attribution_claims.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/evaluation/claims.h"
#include "apps/report/nulls.h"
#include "apps/report/numerals.h"

namespace cdt {
namespace {

constexpr double kNearlyUniform = 0.9;  // least effective bins, as a share of all bins
constexpr double kEvenAuroc = 0.5;
constexpr double kAlike = 0.99;           // least r between rows of two genes
constexpr std::int64_t kLeastMapped = 5;  // enhancers needed to describe the rows

/// Whether the estimate and its whole interval are above chance; false if one is undefined.
bool above(const Estimate& e, double chance) { return e.value > chance && e.interval.low > chance; }
bool below(const Estimate& e, double chance) {
  return e.value < chance && e.interval.high < chance;
}

bool finds_site(const SiteFinding& f) {
  return f.for_each_class && f.pairs >= kLeastWindows && above(f.causal, kEvenAuroc) &&
         above(f.causal_over_decoy, kEvenAuroc);
}

Html said(std::string_view name, const Html& sentence) {
  return claim_html("span", name, true, sentence);
}

}  // namespace

bool can_conclude(const Attribution& attribution) {
  std::set<std::int32_t> enhancers;
  for (const AttributedPair& pair : attribution.pairs) enhancers.insert(pair.enhancer);
  const auto untrained = std::count_if(attribution.pairs.begin(), attribution.pairs.end(),
                                       [](const AttributedPair& pair) { return pair.untrained; });
  return static_cast<std::int64_t>(enhancers.size()) >= kLeastEnhancers &&
         2 * untrained <= static_cast<std::int64_t>(attribution.pairs.size());
}

bool uses_dna(const Material& material) {
  if (!material.evaluated) return false;
  const std::vector<NamedClaim> claims = claims_of(material.evaluated->evaluation);
  return std::any_of(claims.begin(), claims.end(),
                     [](const NamedClaim& c) { return c.name == "dna" && c.claim.said; });
}

Html uniform_claim(const WindowSpread& spread) {
  const auto bins = static_cast<double>(spread.bins);
  const Estimate& e = spread.effective_bins;
  const bool contradicted = e.interval.low <= kNearlyUniform * bins;
  if (spread.bins < 2 || !(e.value > kNearlyUniform * bins) || contradicted) return {};
  return said(
      "uniform",
      "Attention is nearly uniform: averaged over the explained pairs with DNA, it spreads over " +
          fixed(e.value, 0) + " of " + std::to_string(spread.bins) +
          " bins (exp of its entropy). The position of its peak then means little.");
}

Html edge_claim(const EdgePeaks& peaks) {
  if (peaks.windows < kLeastWindows || !above(peaks.share, peaks.by_chance) ||
      !(peaks.p.p < kSignificant)) {
    return {};
  }
  return said(
      "edge-" + peaks.method,
      percent(peaks.share.value) + " of the " + counted(peaks.windows, peaks.method + " peak") +
          " are in the outer 5\u202f% of the window (by chance " + percent(peaks.by_chance) +
          ", two-sided p " + p_value(peaks.p) + "): an edge effect unless shown otherwise.");
}

Html agreement_claim(const SharedTops& tops) {
  const bool both =
      tops.hypergeometric.p < kSignificant && tops.shifted.p < kSignificant && !tops.at_edge;
  if (tops.pairs < kLeastWindows || !above(tops.shared, tops.by_chance) || !both) return {};
  return " " + said("agreement", tops.first + " and " + tops.second +
                                     " agree beyond chance: two-sided p " +
                                     p_value(tops.hypergeometric) + " against random sets and " +
                                     p_value(tops.shifted) + " against shifted windows.");
}

Html enrichment_claim(std::span<const ClassTest> tests, bool uses_dna) {
  const auto count = [&](bool (*lies)(const Estimate&, double)) {
    return std::count_if(tests.begin(), tests.end(), [&](const ClassTest& t) {
      return t.q < kSignificant && lies(t.fold, 1.0);
    });
  };
  const auto more = count(above);
  const auto fewer = count(below);
  if (more + fewer == 0) return {};
  const auto found = [](std::int64_t n) { return counted(n, "test"); };
  const std::string counts =
      (more > 0 ? found(more) + " found more top bins on the class than chance" : "") +
      (more > 0 && fewer > 0 ? ", " : "") +
      (fewer > 0 ? found(fewer) + " found fewer than chance" : "") +
      ": two-sided q < 0.05 and the 95\u202f% interval on that side of 1";
  if (uses_dna) return " " + said("enrichment", counts + ".");
  return " " +
         claim_html(
             "span", "enrichment", false,
             counts +
                 "; but nothing shows that the model\u2019s r depends on DNA, and an untrained "
                 "network shows the same where the DNA features mark the elements.");
}

Html foretelling_claim(const ForetoldEffects& effects) {
  if (effects.pairs < kLeastWindows || !(effects.mean > kTwoSided95 * effects.shifted_sd) ||
      !(effects.pearson_mean.low > 0.0)) {
    return {};
  }
  return " " + said("foretelling",
                    "The gradient predicts which bins matter to the model better than gradients "
                    "shifted around their windows do.");
}

Html site_claim(std::span<const SiteFinding> methods, bool uses_dna) {
  Html found;
  for (const SiteFinding& f : methods) {
    if (!finds_site(f)) continue;
    found += (found.empty() ? "" : "; ") + f.method + " with AUROC " + with_interval(f.causal, 2) +
             ", against the decoy " + with_interval(f.causal_over_decoy, 2);
  }
  if (found.empty()) return {};
  if (!uses_dna) {
    return " " +
           claim_html("span", "sites", false,
                      "The planted site is scored above chance and above the decoy by " + found +
                          "; but nothing here shows that the model uses DNA, and a model that does "
                          "not prefers either site by chance.");
  }
  return " " +
         said(
             "sites",
             "The planted site is found, above chance and above the decoy, by " + found +
                 " (95\u202f% intervals of each method, not corrected for the number of methods).");
}

Html gene_claim(const SiteFinding& f, bool uses_dna) {
  if (!uses_dna || !finds_site(f)) return {};
  if (f.elsewhere.interval.high < f.causal.interval.low) {
    return " " + said("site-genes", "The scores of " + f.method + " differ by gene.");
  }
  if (!above(f.elsewhere, kEvenAuroc)) return {};
  return " " + claim_html("span", "site-genes", false,
                          "The scores of " + f.method +
                              " show where the site is; as far as these pairs tell, they do not "
                              "show on which gene it acts.");
}

bool is_specific(const ClassFinding& f) {
  return f.enhancers >= kLeastEnhancers && above(f.both, kEvenAuroc) && above(f.a, kEvenAuroc) &&
         above(f.b, kEvenAuroc) && f.p < kSignificant;
}

Html specific_claim(const ClassFinding& f, bool uses_dna) {
  if (f.enhancers < kLeastEnhancers || !std::isfinite(f.both.value)) return {};
  const std::string name = "specific-" + f.method;
  const Html numbers = "own site over the other, AUROC " + with_interval(f.a, 2) +
                       " for genes of class a and " + with_interval(f.b, 2) + " for class b";
  if (!is_specific(f)) {
    return " " + claim_html("span", name, false,
                            "These windows do not show that the scores of " + f.method +
                                " are specific to the gene: " + numbers + ".");
  }
  const Html finding = "the scores of " + f.method + " prefer the site of the gene\u2019s class (" +
                       numbers + "; one-sided p " + p_value(f.p) + " against shuffled classes)";
  if (uses_dna) return " " + said(name, "In the same windows " + finding + ".");
  return " " + claim_html("span", name, false,
                          "In the same windows " + finding +
                              "; but nothing here shows that the model uses DNA, and a model that "
                              "does not may prefer the right sites by chance.");
}

Html gene_rows_claim(const GeneRows& rows) {
  if (rows.enhancers < kLeastMapped || !(rows.least > kAlike)) return {};
  return " " + said("gene-rows", "The attention hardly differs between genes.");
}

WindowSpread read_spread(const Attribution& attribution, std::int64_t bins) {
  const MethodSummary& numbers = *attribution.summary.method("attention");
  const auto peaked = static_cast<double>(numbers.n);
  const auto equal = static_cast<double>(numbers.why.equal);
  const auto with_equal = [&](double effective) {
    const double of_peaked = peaked > 0.0 ? peaked * effective : 0.0;
    return (of_peaked + equal * static_cast<double>(bins)) / (peaked + equal);
  };
  const Estimate& e = numbers.effective_bins;
  return {{with_equal(e.value), {with_equal(e.interval.low), with_equal(e.interval.high)}}, bins};
}

EdgePeaks read_edge_peaks(const Attribution& attribution, const std::string& method) {
  const MethodSummary& numbers = *attribution.summary.method(method);
  return {method, can_conclude(attribution) ? numbers.n : 0, numbers.edge_share,
          attribution.summary.random.of.edge_share,
          weaker_test(numbers.uniform.edge_share, numbers.shifted.edge_share).resampled()};
}

ClassFinding read_classes(const Attribution& attribution, const std::string& method) {
  const std::optional<GeneClassScores>& classes = attribution.summary.gene_classes;
  const MethodClasses* of = classes ? find_name(classes->methods, method) : nullptr;
  if (of == nullptr) return {method, 0, {}, {}, {}, kNaN};
  return {method,         can_conclude(attribution) ? of->own.enhancers : 0,
          of->own.both,   of->own.first,
          of->own.second, of->own.p};
}

SharedTops read_shared_tops(const Attribution& attribution, const std::string& first,
                            const std::string& second) {
  SharedTops out;
  out.first = first;
  out.second = second;
  for (const Agreement& both : attribution.summary.agreement) {
    if (both.first != first || both.second != second) continue;
    out.pairs = can_conclude(attribution) ? both.n : 0;
    out.shared = both.overlap;
    out.by_chance = both.hypergeometric.expectation;
    out.hypergeometric = both.hypergeometric.resampled();
    out.shifted = both.shifted.resampled();
  }
  out.at_edge = !edge_claim(read_edge_peaks(attribution, first)).empty() &&
                !edge_claim(read_edge_peaks(attribution, second)).empty();
  return out;
}

}  // namespace cdt
