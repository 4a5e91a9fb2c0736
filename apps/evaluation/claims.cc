#include "apps/evaluation/claims.h"

#include <cmath>

#include "apps/common/format.h"

namespace cdt {
namespace {

/// A change of predictions that rounding explains, relative to their root mean square: bfloat16
/// keeps 8 bits, and rounding in a different order moves the last of them.
constexpr double kRounding = 1.0 / 64.0;

/// Why a split cannot test a model; "" if it can.
std::string why_no_test(const std::string& split) {
  if (split == "val") {
    return "val also chose the model, so this is no test of it (--split test is one)";
  }
  if (split == "train") return "the model was trained on these pairs";
  return "";
}

Claim unsaid(const std::string& text) { return {false, text + "."}; }

}  // namespace

DnaEvidence dna_evidence(const Evaluation& e) {
  const Controls& all = *e.controls;
  const bool none_is_new = e.overlap.locus == e.pairs;
  const Controls& used = e.new_loci_controls ? *e.new_loci_controls : all;
  const Interval none{std::nan(""), std::nan("")};
  DnaEvidence out;
  out.split = e.split;
  out.known = e.overlap.locus;
  out.pairs = none_is_new ? 0 : used.pairs;
  out.loci = none_is_new ? 0 : used.loci;
  out.pearson = used.pearson;
  out.over_shuffled = used.shuffled_dna ? used.shuffled_dna->interval : none;
  out.over_mean = used.mean_dna.interval;
  return out;
}

Claim dna_claim(const DnaEvidence& e) {
  if (e.pairs == 0) {
    return unsaid(
        "All pairs here are of loci that were trained on, so nothing here can show that "
        "the model uses DNA");
  }
  const std::string over =
      e.known > 0 ? "Over the " + number_of(e.pairs, "pair") + " of loci without training pairs "
                  : std::string();
  const auto starting = [&](const char* bare, const char* after) {
    return over.empty() ? std::string(bare) : over + after;
  };
  if (!is_defined(e.over_shuffled) || !is_defined(e.over_mean)) {
    return unsaid(starting("Whether", "whether") +
                  " DNA adds anything cannot be said: an interval needs predictions that differ, "
                  "of pairs of two loci");
  }
  if (!(e.over_shuffled.low > 0.0) || !(e.over_mean.low > 0.0)) {
    return unsaid(starting("Not both intervals lie", "not both intervals lie") +
                  " above 0: nothing here shows that the model uses DNA");
  }
  if (!(e.pearson > 0.0)) {
    return unsaid(starting("The model's", "the model's") +
                  " r is not above 0: nothing here shows that it uses DNA");
  }
  const std::string above = starting("Both intervals lie", "both intervals lie") + " above 0";
  const std::string no_test = why_no_test(e.split);
  if (!no_test.empty()) return unsaid(above + ", but " + no_test);
  return {true, above + ": DNA adds something."};
}

Claim baseline_claim(const BaselineEvidence& e) {
  if (!is_defined(e.gain)) {
    return unsaid("The model cannot be compared with the " + e.label +
                  ": an interval needs predictions that differ, of pairs of two loci");
  }
  if (e.gain.high < 0.0) {
    return unsaid("The interval lies below 0: the model predicts worse than the " + e.label);
  }
  if (!(e.gain.low > 0.0)) {
    return unsaid("The interval includes 0: the model does not beat the " + e.label);
  }
  const std::string no_test = why_no_test(e.split);
  if (!no_test.empty()) return unsaid("The interval lies above 0, but " + no_test);
  return {true, "The interval lies above 0: the model beats the " + e.label + "."};
}

Claim gene_claim(const GeneEvidence& e) {
  if (e.change <= kRounding) {
    return unsaid(
        text("Dealing the genes' RNA and protein embeddings out at random changes no "
             "prediction by more than %.1g of their root mean square: which gene has "
             "which embedding does not matter to the model, a gene is an output column",
             e.change));
  }
  if (!(e.over_shuffled.low > 0.0)) {
    return unsaid("Nothing here shows that it matters which gene has which embedding");
  }
  const std::string no_test = why_no_test(e.split);
  if (!no_test.empty()) return unsaid("The interval lies above 0, but " + no_test);
  return {true, "The interval lies above 0: it matters which gene has which embedding."};
}

std::vector<NamedClaim> claims_of(const Evaluation& e) {
  std::vector<NamedClaim> out;
  if (e.controls) out.push_back({"dna", dna_claim(dna_evidence(e))});
  if (const BaselineScore* strongest = e.strongest_baseline()) {
    out.push_back({"baseline", baseline_claim({e.split, strongest->label, e.gain_interval})});
  }
  if (e.controls) {
    out.push_back({"genes", gene_claim({e.split, e.controls->change_by_genes,
                                        e.controls->shuffled_genes.interval})});
  }
  return out;
}

}  // namespace cdt
