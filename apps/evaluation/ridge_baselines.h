// Baselines that use everything available without a network: ridge regressions on the gene, the
// position and the mean of the window's DNA features.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/places.h"
#include "engine/cpu/parallel.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// With more features per bin than this, `ridge` is not fitted: time grows with the cube of the
/// columns (about 20 s on two cores at 3072). Optional columns that would be more are left out.
inline constexpr std::int64_t kMostPooledFeatures = 4096;

/// Pairs and their places.
struct PlacedPairs {
  const std::vector<Pair>& pairs;
  Places places;  // all empty without gene starts
};

/// Fits two baselines on `train`, which must not be empty (model/stats/ridge.h):
///
///   ridge_no_dna  on the distance d to the gene's start in bases, as ln(1 + d), its square, and
///                 the contact max(d, 5000)^-0.7 (a power law as in activity-by-contact models:
///                 Fulco et al., Nature Genetics 51, 2019); on the side of the start; on whether
///                 the distance is known; and on the shrunk mean of the gene's training pairs.
///                 Optionally also on the gene's RNA embedding, with samples that of the pair's
///                 sample, and its products with the contact
///   ridge         on these and on the mean over bins of each DNA feature of the window.
///                 Optionally also on the mean over the one or two bins at its centre, and the
///                 products of that with the contact
///
/// Optional columns are kept if they predict held-out folds of whole loci better. These folds also
/// choose the penalty of all columns but the first six, which have the lightest penalty.
///
/// An unknown distance is replaced by the median training distance. For a training pair the gene
/// mean is taken over the gene's other pairs, so as not to reveal its own effect; and if all
/// predicted pairs are at loci without training pairs, over those at other loci, so that it says as
/// little as it does for them.
/// locus_of_enhancer: one number per enhancer of the data set, not negative. Reads the DNA of each
/// enhancer of the pairs once, with one window in memory at a time; throws InputError as
/// Dataset::read_dna() does, and calls poll(). Memory: 8 bytes x (training pairs + 3 columns +
/// enhancers) x columns.
std::vector<BaselinePrediction> ridge_baselines(const Dataset& data, const PlacedPairs& train,
                                                const PlacedPairs& predicted,
                                                const std::vector<std::int32_t>& locus_of_enhancer,
                                                int threads = default_threads());

}  // namespace cdt
