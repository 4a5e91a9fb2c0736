// Huber loss and selection of one gene per sample. A batch has few elements, so no threads are
// used.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/cpu/cpu_backend.h"

namespace cdt {
namespace {

double weight_of(const Tensor& weight, std::int64_t b) {
  return weight.empty() ? 1.0 : double{weight.data[b]};
}

/// Offset in x(B, G) of column index[b] of row b.
std::int64_t element(const Tensor& x, const Tensor& index, std::int64_t b) {
  std::int32_t column = 0;
  std::memcpy(&column, index.at(b), sizeof column);
  return b * x.cols() + column;
}

}  // namespace

void CpuBackend::select(const Tensor& x, const Tensor& index, const Tensor& out) {
  for (std::int64_t b = 0; b < out.count(); ++b) out.data[b] = x.data[element(x, index, b)];
}

void CpuBackend::select_backward(const Tensor& dout, const Tensor& index, const Tensor& dx) {
  fill(dx, 0.0F);
  for (std::int64_t b = 0; b < dout.count(); ++b) dx.data[element(dx, index, b)] = dout.data[b];
}

void CpuBackend::huber(const Tensor& prediction, const Tensor& target, const Tensor& weight,
                       float delta, const Tensor& out) {
  double sum = 0.0;
  for (std::int64_t b = 0; b < prediction.count(); ++b) {
    const double miss = std::abs(double{prediction.data[b]} - double{target.data[b]});
    sum +=
        weight_of(weight, b) * (miss <= delta ? 0.5 * miss * miss : delta * (miss - 0.5 * delta));
  }
  out.data[0] = static_cast<float>(sum / static_cast<double>(prediction.count()));
}

void CpuBackend::huber_backward(const Tensor& prediction, const Tensor& target,
                                const Tensor& weight, float delta, const Tensor& dloss,
                                const Tensor& dprediction) {
  const double share = double{dloss.data[0]} / static_cast<double>(prediction.count());
  for (std::int64_t b = 0; b < prediction.count(); ++b) {
    const double miss = double{prediction.data[b]} - double{target.data[b]};
    // NaN passes through clamp unchanged
    dprediction.data[b] =
        static_cast<float>(share * weight_of(weight, b) * std::clamp<double>(miss, -delta, delta));
  }
}

}  // namespace cdt
