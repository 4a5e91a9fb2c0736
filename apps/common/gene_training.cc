#include "apps/common/gene_training.h"

namespace cdt {

GeneTraining::GeneTraining(const Dataset& data) : pairs_(data.genes.size(), 0) {
  for (const Pair& pair : data.pairs) {
    if (pair.split != Split::kTrain) continue;
    ++pairs_[static_cast<std::size_t>(pair.gene)];
    is_known_ = true;
  }
}

}  // namespace cdt
