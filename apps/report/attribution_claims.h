// The page's sentences that conclude something from an attribution. Each is a function of numbers
// that returns nothing unless its control allows the sentence: enough windows of enough
// enhancers, an interval over enhancers on one side of chance, a small p of the weaker null. What
// is undefined (NaN) allows nothing. The numbers themselves are elsewhere, beside what chance
// gives, whatever is concluded. Each sentence is marked (claim_html) with the name that
// docs/honesty.md gives its claim.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "apps/report/html.h"
#include "apps/report/material.h"
#include "model/stats/bootstrap.h"
#include "model/stats/null_tests.h"

namespace cdt {

constexpr std::int64_t kLeastWindows = 20;    // or pairs, or a mean over them proves nothing
constexpr std::int64_t kLeastEnhancers = 20;  // or an interval that draws them is too narrow
constexpr double kSignificant = 0.05;         // of p and q, two-sided

/// Whether the explained pairs with DNA can carry a conclusion about where scores lie: they are of
/// kLeastEnhancers enhancers at least, and no more than half of them are of genes without training
/// pairs, whose windows show initial weights. Else every count that a claim asks for is 0.
bool can_conclude(const Attribution& attribution);
/// dna_claim() of the page's predictions is said.
bool uses_dna(const Material& material);

/// Over how many of `bins` the windows of attention spread. A description of these windows, so one
/// is enough, and an interval need not be defined; but it must not reach below what is said.
struct WindowSpread {
  Estimate effective_bins;
  std::int64_t bins = 0;
};
Html uniform_claim(const WindowSpread& spread);

/// How many of a method's peaks lie in the outer 5 % of the window.
struct EdgePeaks {
  std::string method;
  std::int64_t windows = 0;  // that have a peak; 0 unless can_conclude()
  Estimate share;
  double by_chance = 0;
  ResampledP p;  // the larger of uniform peaks and circular shifts
};
Html edge_claim(const EdgePeaks& peaks);

/// How many of their top bins two methods share.
struct SharedTops {
  std::string first, second;
  std::int64_t pairs = 0;  // in which both have a peak; 0 unless can_conclude()
  Estimate shared;         // mean
  double by_chance = 0;
  ResampledP hypergeometric, shifted;
  bool at_edge = false;  // edge_claim() speaks of both: that alone makes them agree
};
Html agreement_claim(const SharedTops& tops);

/// One method on one class of annotated elements.
struct ClassTest {
  Estimate fold;
  double q = 0;
};
/// Counts those whose q is small and whose interval lies above 1, or below 1; of a model that uses
/// DNA. One that was never trained shows enrichment too, where DNA features mark the elements: then
/// it is marked as unsaid.
Html enrichment_claim(std::span<const ClassTest> tests, bool uses_dna);

/// Spearman correlation within a pair of the gradient with the effects of occlusion.
struct ForetoldEffects {
  std::int64_t pairs = 0;
  double mean = 0;
  double shifted_sd = 0;  // of the mean, if gradients are shifted around their windows
  Interval pearson_mean;  // of Pearson's r
};
Html foretelling_claim(const ForetoldEffects& effects);

/// AUROC of a method at the planted sites, by chance 0.5.
struct SiteFinding {
  std::string method;
  std::int64_t pairs = 0;  // with a planted effect
  Estimate causal, causal_over_decoy;
  Estimate elsewhere;  // the causal site, for genes on which it does not act
};
/// Which methods find the site that acts: above chance and above the decoy, of a model that uses
/// DNA (uses_dna: dna_claim() is said). One that learnt nothing prefers one of the two motifs by
/// chance, in all windows, which no interval over enhancers covers: then it is marked as unsaid.
Html site_claim(std::span<const SiteFinding> methods, bool uses_dna);
/// Whether the scores know on which genes it acts; of a method of site_claim() only. That they do
/// not is no claim: marked as unsaid.
Html gene_claim(const SiteFinding& finding, bool uses_dna);

/// How alike the rows of every two genes are in the attention to DNA.
struct GeneRows {
  double mean = 0, least = 1, share_above = 0;  // of r, over pairs of genes; means over enhancers
  std::int64_t enhancers = 0;                   // that have an r
};
Html gene_rows_claim(const GeneRows& rows);

/// As summary.json has them; windows that are equal in all bins spread over all of them.
WindowSpread read_spread(const Attribution& attribution, std::int64_t bins);
EdgePeaks read_edge_peaks(const Attribution& attribution, const std::string& method);
SharedTops read_shared_tops(const Attribution& attribution, const std::string& first,
                            const std::string& second);

}  // namespace cdt
