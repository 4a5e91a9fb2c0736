// Groups the pairs into batches: on a GPU several enhancers share a pass
// (model/explain/attribution_batch.h), on the CPU each enhancer has its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "apps/common/dry_run.h"
#include "apps/common/session.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Enhancers that are explained together, each with all its pairs; with samples those of one
/// sample.
struct EnhancerBatch {
  /// The pairs that a place of the batch serves: [first, first + count) of an enhancer, or none if
  /// the place only pads the batch.
  struct Place {
    std::size_t enhancer = 0;  // index in the batch
    std::size_t first = 0, count = 0;
  };
  std::vector<std::vector<Pair>> enhancers;  // pairs of each, in order
  std::vector<Place> places;                 // empty for an enhancer explained alone

  /// Rows of DNA: one per place, or that of the single enhancer.
  std::vector<std::int32_t> rows() const;
};

/// Cuts all pairs, in order, into batches; neighbouring pairs of one enhancer and sample belong
/// together. With
/// places = 0 every enhancer is explained alone, as is any enhancer with more than most_genes
/// pairs. An enhancer may have several places, so a batch may hold fewer enhancers than places; it
/// takes as many of the next enhancers as give the lowest cost per pair, counting the pass and the
/// rounds that serve all genes.
std::vector<EnhancerBatch> cut_into_batches(const std::vector<Pair>& pairs, std::int64_t places,
                                            std::int64_t most_genes);

/// Genes whose windows are read in one pass, in a model with gene windows.
inline constexpr std::int64_t kGeneWindowsAtOnce = 4;

/// Memory of an attribution in batches of `places` places.
MemoryPlan plan_attribution(const CdtConfig& config, std::int64_t places, std::int64_t bins,
                            bool want_product, Backend& device);

/// Memory of the pass that every enhancer alone has, for this many of its genes; --methods may take
/// more.
MemoryPlan plan_alone(const CdtConfig& config, std::int64_t genes, std::int64_t bins,
                      Backend& device);

/// Compares the plan of these pairs with what the host and the device allow; throws and warns as
/// plan_that_fits() of apps/common/memory_check.h.
void expect_memory(const Inference& inference, const std::vector<Pair>& pairs);

/// Number of places per batch: 0 on the CPU; on a GPU at most 8, at most the number of pairs, and
/// no more than fit into the free memory according to their plan.
std::int64_t choose_places(const Inference& inference, bool want_product, std::size_t pairs);

}  // namespace cdt
