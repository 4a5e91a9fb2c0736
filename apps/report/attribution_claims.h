// Conclusions of the page about an attribution. Each is a function of numbers that returns nothing
// unless its controls allow the sentence: enough windows of enough enhancers, an interval over
// enhancers on one side of chance, a small p of the weaker null. Undefined numbers (NaN) allow
// nothing. The numbers are shown elsewhere, next to chance, whatever is concluded. Each sentence is
// marked (claim_html) with its name in docs/honesty.md.
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

constexpr std::int64_t kLeastWindows = 20;    // or pairs; a mean over fewer proves nothing
constexpr std::int64_t kLeastEnhancers = 20;  // an interval that resamples fewer is too narrow
constexpr double kSignificant = 0.05;         // bound on p and q, two-sided

/// Whether the explained pairs with DNA can support a conclusion about where scores are: they must
/// be of at least kLeastEnhancers enhancers, and at most half of them of genes without training
/// pairs, whose windows show initial weights. If not, every count that a claim needs is 0.
bool can_conclude(const Attribution& attribution);
/// Whether dna_claim() of the page's predictions is made.
bool uses_dna(const Material& material);

/// Number of bins over which attention spreads, out of `bins`. It describes these windows, so one
/// is enough and an interval need not be defined, but an interval must not reach below the claim.
struct WindowSpread {
  Estimate effective_bins;
  std::int64_t bins = 0;
};
Html uniform_claim(const WindowSpread& spread);

/// Share of a method's peaks in the outer 5 % of the window.
struct EdgePeaks {
  std::string method;
  std::int64_t windows = 0;  // windows with a peak; 0 unless can_conclude()
  Estimate share;
  double by_chance = 0;
  ResampledP p;  // the larger of the two p: uniform peaks and circular shifts
};
Html edge_claim(const EdgePeaks& peaks);

/// Number of top bins that two methods share.
struct SharedTops {
  std::string first, second;
  std::int64_t pairs = 0;  // pairs in which both have a peak; 0 unless can_conclude()
  Estimate shared;         // mean
  double by_chance = 0;
  ResampledP hypergeometric, shifted;
  bool at_edge = false;  // edge_claim() holds for both, which alone makes them agree
};
Html agreement_claim(const SharedTops& tops);

/// Enrichment of one method's top bins on one class of annotated elements.
struct ClassTest {
  Estimate fold;
  double q = 0;
};
/// Counts the classes whose q is small and whose interval is above 1, or below 1, if the model uses
/// DNA. A model that was never trained shows enrichment too where DNA features mark the elements,
/// so otherwise the claim is marked as unsaid.
Html enrichment_claim(std::span<const ClassTest> tests, bool uses_dna);

/// Spearman correlation within a pair between the gradient and the effects of occlusion.
struct ForetoldEffects {
  std::int64_t pairs = 0;
  double mean = 0;
  double shifted_sd = 0;  // of the mean, if gradients are shifted around their windows
  Interval pearson_mean;  // of Pearson's r
};
Html foretelling_claim(const ForetoldEffects& effects);

/// AUROC of the site of the gene's class over the other class's site, in windows that are explained
/// for genes of both classes; 0.5 by chance.
struct ClassFinding {
  std::string method;
  std::int64_t enhancers = 0;  // with such a window; 0 unless can_conclude()
  Estimate both, a, b;         // of both classes, and of each
  double p = 0;                // if classes are shuffled among the genes
};
/// Whether a method's scores are specific to the gene: they prefer the own site of genes of either
/// class, more than if the classes were shuffled, and the model uses DNA. A model that learnt
/// nothing may prefer the right site in all windows by chance, so otherwise the claim is marked as
/// unsaid.
bool is_specific(const ClassFinding& finding);
Html specific_claim(const ClassFinding& finding, bool uses_dna);

/// AUROC of a method at the planted sites; 0.5 by chance.
struct SiteFinding {
  std::string method;
  std::int64_t pairs = 0;  // with a planted effect
  Estimate causal, causal_over_decoy;
  Estimate elsewhere;  // at the causal site, for genes on which it does not act
  /// Whether is_specific() holds, which genes of two classes require: a method that prefers one of
  /// the two sites in all windows is right about every gene of one class.
  bool for_each_class = true;
};
/// Which methods find the causal site: above chance and above the decoy, if the model uses DNA
/// (uses_dna: dna_claim() is made). A model that learnt nothing prefers one of the two motifs by
/// chance in all windows, which an interval over enhancers does not cover, so otherwise the claim
/// is marked as unsaid.
Html site_claim(std::span<const SiteFinding> methods, bool uses_dna);
/// Whether the scores tell on which genes the site acts; only for a method of site_claim(). The
/// sentence that they do not is not a claim and is marked as unsaid.
Html gene_claim(const SiteFinding& finding, bool uses_dna);

/// Similarity of the rows of each pair of genes in the attention to DNA.
struct GeneRows {
  double mean = 0, least = 1, share_above = 0;  // of r over pairs of genes; means over enhancers
  std::int64_t enhancers = 0;                   // enhancers with an r
};
Html gene_rows_claim(const GeneRows& rows);

/// Reads the numbers from summary.json; windows that are equal in all bins spread over all of them.
WindowSpread read_spread(const Attribution& attribution, std::int64_t bins);
EdgePeaks read_edge_peaks(const Attribution& attribution, const std::string& method);
ClassFinding read_classes(const Attribution& attribution, const std::string& method);
SharedTops read_shared_tops(const Attribution& attribution, const std::string& first,
                            const std::string& second);

}  // namespace cdt
