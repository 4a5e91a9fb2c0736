// The conclusions of an evaluation. Each is one function of numbers: what it says, and whether the
// numbers allow it. docs/honesty.md lists them with the rates at which they err.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/evaluation/evaluation.h"

namespace cdt {

struct Claim {
  bool said = false;  // else the sentence says why nothing is claimed
  std::string text;
};

/// Below this many loci a bootstrap is too narrow to claim anything by.
inline constexpr std::int64_t kLeastLoci = 20;

/// An interval must lie above this: less is rounding, or nothing to speak of.
inline constexpr double kLeastGain = 1e-3;

/// What a claim about DNA rests on: the pairs that can test it (Evaluation::tested_pairs).
struct DnaEvidence {
  std::string split;
  std::int64_t pairs = 0, loci = 0;  // compared
  std::int64_t left_out = 0;
  bool has_train = true;  // else the data set cannot tell which loci are new
  TrainedHere trained_here = TrainedHere::kYes;
  Estimate r;  // of the compared pairs itself
  Estimate over_shuffled, over_mean;
};
DnaEvidence dna_evidence(const Evaluation& evaluation);
/// "DNA adds something": the intervals of r and of both losses above 0, over kLeastLoci loci known
/// to be new, on a split that had no say in the model, which was trained here.
Claim dna_claim(const DnaEvidence& evidence);

/// Likewise, of the strongest baseline.
struct BaselineEvidence {
  std::string split, label;
  std::int64_t pairs = 0, loci = 0;  // compared
  std::int64_t left_out = 0;
  TrainedHere trained_here = TrainedHere::kYes;
  bool has_r = true;   // the baseline
  double pearson = 0;  // of the model
  Estimate over;
  double mse = 0, baseline_mse = 0;
};
BaselineEvidence baseline_evidence(const Evaluation& evaluation);  // which has a baseline
/// "The model beats the strongest baseline": r and the interval above 0 and no larger mean squared
/// error, over as many loci, on such a split.
Claim baseline_claim(const BaselineEvidence& evidence);

struct GeneEvidence {
  std::string split;
  std::int64_t loci = 0;
  double change = 0;  // Controls::change_by_genes
  Estimate over_shuffled;
  TrainedHere trained_here = TrainedHere::kYes;
};
/// "It matters which gene has which embedding": the interval above 0, over as many loci, on such a
/// split.
Claim gene_claim(const GeneEvidence& evidence);

struct NamedClaim {
  std::string name;  // in metrics.json: "dna", "baseline", "genes"
  Claim claim;
};
/// All of an evaluation, as far as it has their numbers.
std::vector<NamedClaim> claims_of(const Evaluation& evaluation);

/// True of every model here: it has no positional encoding (docs/paper-vs-code.md).
inline constexpr const char* kNoPositions =
    "The model has no positional encoding: in whatever order the bins of a window stand, its "
    "predictions are the same to rounding. It can tell which bin was silenced only from the "
    "embedding itself.";
/// Beside what is said of places in the window.
inline constexpr const char* kSeesNoPositions =
    "The model sees no positions: with its bins in any other order it predicts the same to "
    "rounding, "
    "so a place in the window matters only by what its bin holds.";

}  // namespace cdt
