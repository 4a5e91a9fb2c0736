// Gradients of a prediction with respect to the RNA and protein inputs: which genes' embeddings it
// hangs on. These run through the trunks, which are no constants here.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/tape.h"
#include "model/cdt.h"

namespace cdt {

/// L2 norms over features of d prediction / d input, one per gene: (G) each.
struct GeneGradients {
  std::vector<float> rna, protein;
};

/// Of each of `genes`' predictions, in order; dna (1, L, dna_dim), rna (1, G, rna_dim), protein
/// (1, G, protein_dim), outside the step arena. The model is frozen. Clears the tape.
std::vector<GeneGradients> gene_gradients(Cdt& model, Tape& tape, const Tensor& dna,
                                          const Tensor& rna, const Tensor& protein,
                                          const std::vector<std::int32_t>& genes);

}  // namespace cdt
