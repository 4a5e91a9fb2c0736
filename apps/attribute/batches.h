// Which pairs cdt-attribute works on at once: on a GPU several enhancers share a pass
// (model/explain/attribution_batch.h), on the CPU each has its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "apps/common/dry_run.h"
#include "apps/common/session.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Whole enhancers that are worked on together.
struct EnhancerBatch {
  /// What a place of the batch serves: pairs [first, first + count) of an enhancer, or none where
  /// it only fills the batch.
  struct Place {
    std::size_t enhancer = 0;  // among those of the batch
    std::size_t first = 0, count = 0;
  };
  std::vector<std::vector<Pair>> enhancers;  // pairs of each, in order
  std::vector<Place> places;                 // none: one enhancer, by itself

  /// Rows of DNA: of each place, or of the enhancer by itself.
  std::vector<std::int32_t> rows() const;
};

/// All pairs, in order; neighbours of the same enhancer are its pairs. places: of a batch, 0: every
/// enhancer by itself, as those with more than most_genes pairs always are. An enhancer may have
/// several places, and a batch fewer enhancers than places: the next enhancers are taken as far as
/// that makes the pass, and the rounds in which all places have their genes, cheap for a pair.
std::vector<EnhancerBatch> cut_into_batches(const std::vector<Pair>& pairs, std::int64_t places,
                                            std::int64_t most_genes);

/// The memory of an attribution by batches of so many places.
MemoryPlan plan_attribution(const CdtConfig& config, std::int64_t places, std::int64_t bins,
                            bool want_product, Backend& device);

/// Places of a batch: 0 on the CPU; on a GPU at most 8, and no more than there are pairs, as far as
/// their plan fits into the memory that is free.
std::int64_t choose_places(const Inference& inference, bool want_product, std::size_t pairs);

}  // namespace cdt
