// The conclusions of an evaluation. Each is a function of numbers that returns the sentence and
// whether the numbers allow it. docs/honesty.md lists them with their error rates.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/loci_count.h"
#include "model/fingerprint.h"

namespace cdt {

struct Claim {
  bool said = false;  // if false, the sentence says why nothing is claimed
  std::string text;
};

/// With a smaller effective number of loci a bootstrap interval is too narrow to support a claim.
inline constexpr std::int64_t kLeastLoci = 20;

/// An interval must be above this; anything less is rounding or negligible.
inline constexpr double kLeastGain = 1e-3;

/// Evidence for a claim about DNA, over the pairs that can test it (Evaluation::tested_pairs).
struct DnaEvidence {
  std::string split;
  std::int64_t pairs = 0;  // compared
  LociCount loci = {};
  std::int64_t left_out = 0;
  bool any_gene = false;  // Evaluation::any_gene_tests()
  bool has_train = true;  // else the data set cannot tell which loci are new
  TrainedHere trained_here = TrainedHere::kYes;
  Estimate r;  // r itself, over the compared pairs
  Estimate over_shuffled, over_mean;
};
DnaEvidence dna_evidence(const Evaluation& evaluation);
/// "DNA adds something". Needs the intervals of r and of both losses above 0, over an
/// effective number of at least kLeastLoci loci known to be new, on a split that had no influence
/// on the model, which was trained here.
Claim dna_claim(const DnaEvidence& evidence);

/// Evidence for a claim about the strongest baseline.
struct BaselineEvidence {
  std::string split, label;
  std::int64_t pairs = 0;  // compared
  LociCount loci = {};
  std::int64_t left_out = 0;
  bool any_gene = false;  // Evaluation::any_gene_tests()
  TrainedHere trained_here = TrainedHere::kYes;
  bool has_r = true;   // whether the baseline has an r
  double pearson = 0;  // of the model
  Estimate over;
  double mse = 0, baseline_mse = 0;  // mse: NaN for a model of ranks
};
BaselineEvidence baseline_evidence(const Evaluation& evaluation);  // the evaluation must have one
/// "The model beats the strongest baseline". Needs r and the interval above 0 and, unless the model
/// predicts ranks, no larger mean squared error, with the same requirements on loci and split as
/// dna_claim().
Claim baseline_claim(const BaselineEvidence& evidence);

struct GeneEvidence {
  std::string split;
  LociCount loci = {};
  double change = 0;  // Controls::change_by_genes
  Estimate over_shuffled;
  TrainedHere trained_here = TrainedHere::kYes;
  bool gene_readout = false;  // else a gene has an output column of its own
};
/// "It matters which gene has which embedding". Needs the interval above 0, with the same
/// requirements on loci and split as dna_claim().
Claim gene_claim(const GeneEvidence& evidence);

struct NamedClaim {
  std::string name;  // in metrics.json: "dna", "baseline", "genes"
  Claim claim;
};
/// All claims for which the evaluation has the numbers.
std::vector<NamedClaim> claims_of(const Evaluation& evaluation);

/// Holds for every model without extensions: no positional encoding (docs/paper-vs-code.md).
inline constexpr const char* kNoPositions =
    "The model has no positional encoding: reordering the bins of a window leaves its predictions "
    "unchanged up to rounding. It can tell which bin was silenced only from the embedding itself.";
/// Holds for a model with bin positions instead (docs/extensions.md).
inline constexpr const char* kKnowsBins =
    "The model knows how far each bin is from the window's centre, which the released model does "
    "not; so where a bin lies may count as much as what it contains.";
/// The one that holds, and what else the model knows about places.
std::string about_positions(const Fingerprint& fingerprint);
/// Added to statements about places in the window, if the model has no bin positions.
inline constexpr const char* kSeesNoPositions =
    "The model sees no positions: reordering the bins leaves its predictions unchanged up to "
    "rounding, so a position in the window matters only through what its bin contains.";

}  // namespace cdt
