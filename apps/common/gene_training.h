// How many training pairs each gene of a data set has. The output of a gene without any was never
// trained: what it predicts is where its weights began.
#pragma once

#include <cstdint>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

class GeneTraining {
 public:
  explicit GeneTraining(const Dataset& data);

  std::int64_t pairs_of(std::int32_t gene) const { return pairs_[static_cast<std::size_t>(gene)]; }
  /// False for every gene of a data set without training pairs: it does not say what was trained.
  bool is_untrained(std::int32_t gene) const { return is_known_ && pairs_of(gene) == 0; }
  bool is_known() const { return is_known_; }

 private:
  std::vector<std::int64_t> pairs_;  // by gene
  bool is_known_ = false;
};

}  // namespace cdt
