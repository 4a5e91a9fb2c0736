#include "apps/evaluation/claims.h"

#include <cmath>

#include "apps/common/format.h"

namespace cdt {
namespace {

/// A change of predictions that rounding explains, relative to their root mean square: bfloat16
/// keeps 8 bits, and rounding in a different order moves the last of them.
constexpr double kRounding = 1.0 / 64.0;

/// Why pairs cannot test a model; "" if they can.
std::string why_no_test(const std::string& split, std::int64_t loci) {
  if (split == "val") return "val also chose the model, so this is no test of it";
  if (split == "train") return "the model was trained on these pairs";
  if (loci >= kLeastLoci) return "";
  return "these pairs are of " + std::to_string(loci) + " loci, and fewer than " +
         std::to_string(kLeastLoci) + " are too few to claim anything by";
}

Claim unsaid(const std::string& text) { return {false, text + "."}; }

bool is_above_0(const Gain& gain) { return gain.interval.low > 0.0; }

/// "0.373 [0.316, 0.427]"
std::string number(const Gain& gain) {
  const std::string r = number_cell(gain.r, 0, 3);
  return is_defined(gain.interval) ? r + " " + interval_cell(gain.interval, 0, 3) : r;
}

Gain gain_of(const Control& control) { return {control.difference, control.interval}; }

}  // namespace

DnaEvidence dna_evidence(const Evaluation& e) {
  const bool none_is_new = e.overlap.locus == e.pairs;
  const Controls& used = e.new_loci_controls ? *e.new_loci_controls : *e.controls;
  DnaEvidence out;
  out.split = e.split;
  out.known = e.overlap.locus;
  out.has_train = !e.baselines.empty();
  out.pairs = none_is_new ? 0 : used.pairs;
  out.loci = none_is_new ? 0 : used.loci;
  out.pearson = used.pearson;
  out.over_shuffled = {std::nan(""), {std::nan(""), std::nan("")}};
  if (used.shuffled_dna) out.over_shuffled = gain_of(*used.shuffled_dna);
  out.over_mean = gain_of(used.mean_dna);
  return out;
}

Claim dna_claim(const DnaEvidence& e) {
  if (e.pairs == 0) {
    return unsaid(
        "All pairs are of loci that were trained on, so nothing here can show that the model uses "
        "DNA");
  }
  const std::string over =
      e.known > 0 ? "Over the " + number_of(e.pairs, "pair") + " of loci without training pairs, "
                  : std::string();
  if (!is_defined(e.over_shuffled.interval) || !is_defined(e.over_mean.interval)) {
    return unsaid(
        over + (over.empty() ? "Whether" : "whether") +
        " DNA adds anything cannot be said: an interval needs predictions that differ, of "
        "pairs of two loci");
  }
  const std::string numbers = over + "r falls by " + number(e.over_shuffled) +
                              " when each enhancer is given another's DNA, and by " +
                              number(e.over_mean) + " when all are given one mean window";
  if (!is_above_0(e.over_shuffled) || !is_above_0(e.over_mean) || !(e.pearson > 0.0)) {
    return unsaid(numbers + (e.pearson > 0.0 ? ", not both above 0" : ", but not above 0 itself") +
                  ": nothing here shows that the model uses DNA");
  }
  const std::string no_test =
      e.has_train ? why_no_test(e.split, e.loci)
                  : "the data set has no training pairs, so these loci may have been trained on";
  if (!no_test.empty()) return unsaid(numbers + "; but " + no_test);
  return {true, numbers + ": DNA adds something."};
}

BaselineEvidence baseline_evidence(const Evaluation& e) {
  const BaselineScore& strongest = *e.strongest_baseline();
  const std::int64_t known = e.overlap.locus;
  BaselineEvidence out{e.split,
                       strongest.label,
                       e.loci,
                       {e.gain, e.gain_interval},
                       e.model.metrics.mse,
                       strongest.score.metrics.mse,
                       known,
                       known == e.pairs};
  if (!e.new_loci_gain) return out;
  const BaselineGain& used = *e.new_loci_gain;
  out.loci = used.loci;
  out.over = {used.difference, used.interval};
  out.mse = used.mse;
  out.baseline_mse = used.baseline_mse;
  return out;
}

Claim baseline_claim(const BaselineEvidence& e) {
  if (e.all_known) {
    return unsaid(
        "All pairs are of loci that were trained on, which a model may know by heart: nothing here "
        "shows that it beats the strongest baseline, the " +
        e.label);
  }
  if (!is_defined(e.over.interval)) {
    return unsaid("The model cannot be compared with the strongest baseline, the " + e.label +
                  ": an interval needs predictions that differ, of pairs of two loci");
  }
  const std::string numbers =
      std::string(e.known > 0 ? "Over the pairs of loci without training pairs, the" : "The") +
      " model's r less that of the strongest baseline, the " + e.label + ", is " + number(e.over);
  if (e.over.interval.high < 0.0) return unsaid(numbers + ": it predicts worse");
  if (!is_above_0(e.over)) return unsaid(numbers + ", not above 0: it does not beat it");
  if (e.mse > e.baseline_mse) {
    return unsaid(numbers + "; but its mean squared error is larger, " + text("%.2g", e.mse) +
                  " against " + text("%.2g", e.baseline_mse));
  }
  const std::string no_test = why_no_test(e.split, e.loci);
  if (!no_test.empty()) return unsaid(numbers + "; but " + no_test);
  return {true, numbers + ": it beats it."};
}

Claim gene_claim(const GeneEvidence& e) {
  if (e.change <= kRounding) {
    return unsaid(
        text("Dealing the genes' RNA and protein embeddings out at random changes no "
             "prediction by more than %.1g of their root mean square: which gene has "
             "which embedding does not matter to the model, a gene is an output column",
             e.change));
  }
  const std::string numbers = "r falls by " + number(e.over_shuffled) +
                              " when the genes' embeddings are dealt out at random";
  if (!is_above_0(e.over_shuffled)) {
    return unsaid(numbers +
                  ", not above 0: nothing here shows that it matters which gene has "
                  "which embedding");
  }
  const std::string no_test = why_no_test(e.split, e.loci);
  if (!no_test.empty()) return unsaid(numbers + "; but " + no_test);
  return {true, numbers + ": it matters which gene has which embedding."};
}

std::vector<NamedClaim> claims_of(const Evaluation& e) {
  std::vector<NamedClaim> out;
  out.push_back({"dna", e.controls ? dna_claim(dna_evidence(e))
                                   : unsaid("The controls beside r were not computed, so nothing "
                                            "can be said of what the model owes to DNA")});
  if (!e.baselines.empty()) {
    out.push_back({"baseline", baseline_claim(baseline_evidence(e))});
  }
  if (e.controls) {
    out.push_back({"genes", gene_claim({e.split, e.loci, e.controls->change_by_genes,
                                        gain_of(e.controls->shuffled_genes)})});
  }
  return out;
}

}  // namespace cdt
