#include "apps/common/mean_window.h"

#include "engine/error.h"

namespace cdt {

std::vector<float> mean_window(const Dataset& data, const std::vector<std::int32_t>& enhancers,
                               const std::function<bool()>& go_on) {
  CDT_CHECK(!enhancers.empty(), "a mean needs windows");
  std::vector<float> row(static_cast<std::size_t>(data.bins * data.dna_dim));
  std::vector<double> sum(row.size());
  for (const std::int32_t enhancer : enhancers) {
    if (!go_on()) return {};
    data.read_dna(enhancer, row.data());
    for (std::size_t k = 0; k < row.size(); ++k) sum[k] += row[k];
  }
  const auto count = static_cast<double>(enhancers.size());
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = static_cast<float>(sum[k] / count);
  return row;
}

}  // namespace cdt
