#include "apps/train/head_start.h"

#include <vector>

#include "apps/evaluation/baselines.h"

namespace cdt {

void start_head_at_gene_means(const Dataset& data, Cdt& model) {
  const Linear& last = model.head.last;
  const std::vector<float> zeros(static_cast<std::size_t>(last.weight->value.count()));
  model.set(last.weight, zeros.data());
  const std::vector<float> means =
      shrunk_gene_means(data.pairs_of(Split::kTrain), data.genes_count());
  model.set(last.bias, means.data());
}

}  // namespace cdt
