#include "apps/train/head_start.h"

#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"

namespace cdt {

void start_head_at_gene_means(const Dataset& data, Cdt& model) {
  const bool released = model.config().variant == Variant::kReleased;
  const std::string layer = released ? "task_layer.3" : "task_layer";
  Parameter& weight = model.parameter(layer + ".weight");
  const std::vector<float> zeros(static_cast<std::size_t>(weight.variable.value.count()));
  model.set(weight, zeros.data());
  const std::vector<float> means =
      shrunk_gene_means(data.pairs_of(Split::kTrain), data.genes_count());
  model.set(model.parameter(layer + ".bias"), means.data());
}

}  // namespace cdt
