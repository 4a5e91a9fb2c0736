// How scores of bins differ between two classes of genes that are explained in the same windows.
// Each window has two sites, one that acts on the genes of each class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/stats/bootstrap.h"

namespace cdt {

/// Scores of one window for one gene.
struct ClassedScore {
  std::int32_t enhancer = 0, gene = 0;
  bool of_second = false;        // class of the gene
  double first_over_second = 0;  // AUROC of the bins of the first class's site over the other's
};

/// AUROC of the bins of the gene's own site over those of the other, in windows that are explained
/// for genes of both classes. A preference for one of the two motifs that does not depend on the
/// gene raises it for one class as much as it lowers it for the other.
struct OwnOverOther {
  std::int64_t enhancers = 0;    // windows with genes of both classes
  Estimate both, first, second;  // means over those enhancers; both: of the two classes
  double p = kNaN;               // one-sided, of `both`, if classes are shuffled among the genes
};
/// Intervals resample enhancers. p compares with `permutations` shuffles, so that the few genes of
/// a class, which the intervals take as given, cannot make the difference alone.
OwnOverOther own_over_other(std::span<const ClassedScore> scores, std::int64_t permutations,
                            std::uint64_t seed);

/// Correlations between windows of two genes of one enhancer: sums over pairs of genes.
struct WindowAlikeness {
  double same = 0, same_pairs = 0;    // both genes of one class
  double other = 0, other_pairs = 0;  // of different classes

  void add(const WindowAlikeness& w);
};
struct AlikenessByClass {
  Estimate same, other, difference;  // means over pairs of genes; same minus other
};
/// by_enhancer: one entry per enhancer, which the intervals resample.
AlikenessByClass alikeness_by_class(const std::vector<WindowAlikeness>& by_enhancer,
                                    std::uint64_t seed);

}  // namespace cdt
