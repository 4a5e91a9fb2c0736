#include "apps/evaluation/noise_ceiling.h"

#include "model/stats/statistics.h"

namespace cdt {

double noise_ceiling(const std::optional<Truth>& truth, const Dataset& data,
                     const std::vector<Pair>& pairs, const std::string& split) {
  if (!truth) return kNaN;
  std::vector<float> noiseless;
  for (const Pair& pair : pairs) {
    const auto found = truth->noiseless.find({enhancer_of(data, pair).name, gene_of(data, pair)});
    if (found == truth->noiseless.end()) return truth->ceiling_of(split);
    noiseless.push_back(static_cast<float>(found->second));
  }
  const double r = compute_metrics(noiseless, column(pairs, &Pair::beta)).pearson;
  return r > 0 ? r : kNaN;
}

}  // namespace cdt
