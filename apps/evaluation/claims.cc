#include "apps/evaluation/claims.h"

#include <cmath>

#include "apps/common/tables.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// Largest change of predictions that rounding explains, relative to their root mean square:
/// bfloat16 has 8 bits, and another order of rounding changes the last of them.
constexpr double kRounding = 1.0 / 64.0;

/// Why the pairs cannot test a model; "" if they can.
std::string why_no_test(const std::string& split, const LociCount& loci, TrainedHere trained_here) {
  if (trained_here == TrainedHere::kUnknown) {
    return "the model file does not say which pairs it was trained on";
  }
  if (trained_here == TrainedHere::kNo) {
    return "the model was trained or chosen on other pairs than this data set's train and val "
           "splits, so these may be among them";
  }
  if (split == "val") return "val also chose the model, so this is no test of it";
  if (split == "train") return "the model was trained on these pairs";
  if (loci.effective >= kLeastLoci) return "";
  return "these pairs are of " + loci_text(loci) + ", and fewer than " +
         std::to_string(kLeastLoci) + " are too few to support a claim";
}

Claim unsaid(const std::string& text) { return {false, text + "."}; }

bool is_above_0(const Estimate& gain) { return gain.interval.low > kLeastGain; }

/// "0.373 [0.316, 0.427]"
std::string number(const Estimate& gain) {
  const std::string r = number_cell(gain.value, 0, 3);
  return is_defined(gain.interval) ? r + " " + interval_cell(gain.interval, 0, 3) : r;
}

/// An upper bound with one digit.
std::string rounded_up(double value) {
  const double unit = std::pow(10.0, std::floor(std::log10(value)));
  return text("%.1g", std::ceil(value / unit) * unit);
}

/// Start of a sentence about the pairs that can test; "" if these are all pairs.
template <class Evidence>
std::string over_tested(const Evidence& e) {
  if (e.left_out == 0) return "";
  return "Over the " + number_of(e.pairs, "pair") + " " + tested_pairs_are(e.any_gene) + ", ";
}

std::string none_can_test(bool any_gene) {
  return std::string("No pair here is ") + (any_gene ? "" : "of a trained gene ") +
         "at a locus that had no part in training";
}

/// Controls over the pairs that can test; null if there are none or they are unknown.
const Controls* tested_controls(const Evaluation& e) {
  if (e.tested_pairs == e.pairs) return &*e.controls;
  return e.tested_controls ? &*e.tested_controls : nullptr;
}

}  // namespace

DnaEvidence dna_evidence(const Evaluation& e) {
  const Estimate undefined;
  DnaEvidence out{.split = e.split,
                  .left_out = e.pairs - e.tested_pairs,
                  .any_gene = e.any_gene_tests(),
                  .has_train = !e.baselines.empty(),
                  .trained_here = e.trained_here,
                  .r = undefined,
                  .over_shuffled = undefined,
                  .over_mean = undefined};
  const Controls* used = tested_controls(e);
  if (used == nullptr) return out;
  out.pairs = used->pairs;
  out.loci = used->loci;
  out.r = used->pearson;
  if (used->shuffled_dna) out.over_shuffled = used->shuffled_dna->difference;
  out.over_mean = used->mean_dna.difference;
  return out;
}

Claim dna_claim(const DnaEvidence& e) {
  if (e.pairs == 0) {
    return unsaid(none_can_test(e.any_gene) + ", so nothing here can show that the model uses DNA");
  }
  const std::string over = over_tested(e);
  if (!is_defined(e.over_shuffled.interval) || !is_defined(e.over_mean.interval)) {
    return unsaid(
        over + (over.empty() ? "Whether" : "whether") +
        " DNA adds anything cannot be said: an interval needs predictions that differ, of "
        "pairs of two loci");
  }
  const std::string numbers = over + "r loses " + number(e.over_shuffled) +
                              " when each enhancer is given another's DNA, and " +
                              number(e.over_mean) + " when all are given one mean window";
  if (!is_above_0(e.over_shuffled) || !is_above_0(e.over_mean)) {
    return unsaid(
        numbers +
        "; these intervals are not both above 0, so nothing here shows that the model uses DNA");
  }
  if (!is_above_0(e.r)) {
    return unsaid(numbers + "; but r itself, " + number(e.r) +
                  ", is not above 0, so nothing here shows that DNA helps the model");
  }
  const std::string no_test =
      e.has_train ? why_no_test(e.split, e.loci, e.trained_here)
                  : "the data set has no training pairs, so these loci may have been trained on";
  if (!no_test.empty()) return unsaid(numbers + "; but " + no_test);
  return {true, numbers + ": DNA adds something."};
}

BaselineEvidence baseline_evidence(const Evaluation& e) {
  const BaselineScore& strongest = *e.strongest_baseline();
  const BaselineGain& used = e.tested_gain ? *e.tested_gain : e.gain;
  const bool none = e.tested_pairs == 0;
  return {.split = e.split,
          .label = strongest.label,
          .pairs = none ? 0 : used.pairs,
          .loci = none ? LociCount{} : used.loci,
          .left_out = e.pairs - e.tested_pairs,
          .any_gene = e.any_gene_tests(),
          .trained_here = e.trained_here,
          .has_r = !std::isnan(strongest.score.metrics.pearson),
          .pearson = used.pearson,
          .over = used.difference,
          .mse = used.mse,
          .baseline_mse = used.baseline_mse};
}

Claim baseline_claim(const BaselineEvidence& e) {
  const std::string name = "the strongest baseline, the " + e.label;
  if (e.pairs == 0) {
    return unsaid(none_can_test(e.any_gene) + ", so nothing here can show that the model beats " +
                  name);
  }
  if (!is_defined(e.over.interval)) {
    return unsaid("The model cannot be compared with " + name +
                  ": an interval needs predictions that differ, of pairs of two loci");
  }
  const std::string over = over_tested(e);
  const std::string numbers =
      e.has_r ? over + (over.empty() ? "The" : "the") + " model's r minus that of " + name +
                    ", is " + number(e.over)
              : over + (over.empty() ? "No" : "no") +
                    " baseline has an r above 0; the model's is " + number(e.over);
  if (e.over.interval.high < 0.0) {
    return unsaid(numbers + ": the model predicts worse than the baseline");
  }
  if (!is_above_0(e.over)) {
    return unsaid(numbers + "; the interval includes 0: the model does not beat the baseline");
  }
  if (!(e.pearson > 0.0)) return unsaid(numbers + "; but r itself is not above 0");
  if (e.mse > e.baseline_mse) {
    return unsaid(numbers + "; but its mean squared error is larger, " + text("%.2g", e.mse) +
                  " against " + text("%.2g", e.baseline_mse));
  }
  const std::string no_test = why_no_test(e.split, e.loci, e.trained_here);
  if (!no_test.empty()) return unsaid(numbers + "; but " + no_test);
  return {true, numbers + ": the model beats the baseline."};
}

Claim gene_claim(const GeneEvidence& e) {
  if (e.change <= kRounding) {
    return unsaid(
        "Permuting the genes' RNA and protein embeddings at random leaves every prediction "
        "unchanged up to rounding" +
        (e.change > 0.0 ? " (by at most " + rounded_up(e.change) + " of their root mean square)"
                        : std::string()) +
        (e.gene_readout ? ": the genes' embeddings play no part in them"
                        : ": the model knows a gene only by its output column"));
  }
  if (!is_defined(e.over_shuffled.interval)) {
    return unsaid(
        "Whether it matters which gene has which embedding cannot be said: an interval "
        "needs predictions that differ, of pairs of two loci");
  }
  const std::string numbers =
      "r loses " + number(e.over_shuffled) + " when the genes' embeddings are permuted at random";
  if (!is_above_0(e.over_shuffled)) {
    return unsaid(numbers +
                  "; the interval is not above 0, so nothing here shows that it matters which gene "
                  "has which embedding");
  }
  const std::string no_test = why_no_test(e.split, e.loci, e.trained_here);
  if (!no_test.empty()) return unsaid(numbers + "; but " + no_test);
  return {true, numbers + ": it matters which gene has which embedding."};
}

std::vector<NamedClaim> claims_of(const Evaluation& e) {
  std::vector<NamedClaim> out;
  out.push_back({"dna", e.controls ? dna_claim(dna_evidence(e))
                                   : unsaid("The controls were not computed, so nothing can be "
                                            "said about how much the model uses DNA")});
  if (!e.baselines.empty()) {
    out.push_back({"baseline", baseline_claim(baseline_evidence(e))});
  }
  if (e.controls) {
    out.push_back({"genes", gene_claim({e.split, e.loci, e.controls->change_by_genes,
                                        e.controls->shuffled_genes.difference, e.trained_here,
                                        e.fingerprint.has(kGeneReadout)})});
  }
  return out;
}

std::string about_positions(const Fingerprint& fingerprint) {
  std::string out = fingerprint.has(kBinPosition) ? kKnowsBins : kNoPositions;
  if (fingerprint.has(kGenePosition)) {
    out +=
        " It knows how far each gene's start is from the window's centre, so a high r may "
        "come from that distance alone.";
  }
  if (fingerprint.has(kGeneWindow)) {
    out +=
        " It reads a second window around each gene's start, which the controls leave in place, so "
        "a high r with shuffled DNA may come from there.";
  }
  return out;
}

}  // namespace cdt
