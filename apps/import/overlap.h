// How much of a held-out split the training split has already seen.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/import/placement.h"

namespace cdt {

struct Overlap {
  /// Two enhancers are neighbours if their centres are at most this far apart.
  static constexpr std::int64_t kNeighbourBp = 1000;

  std::int64_t pairs = 0;
  std::int64_t pairs_enhancer_in_train = 0;
  std::int64_t pairs_enhancer_near_train = 0;  // the same enhancer or a neighbour
  std::int64_t pairs_gene_in_train = 0;
  std::int64_t pairs_in_train = 0;  // the same enhancer and gene
  std::int64_t enhancers = 0, enhancers_in_train = 0;
  std::int64_t genes = 0, genes_in_train = 0;
};

/// Of the pairs of `held_out`, how many share what with the pairs of the train split.
Overlap overlap_with_train(const Placement& data, Split held_out);

/// How many different pairs of enhancer and gene two splits share.
std::int64_t shared_pairs(const Placement& data, Split a, Split b);

}  // namespace cdt
