// Clipping by the global norm, and AdamW in PyTorch's order of operations.
#include <cmath>
#include <cstring>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"

namespace cdt {
namespace {

void update(int threads, const AdamWTensors& t, const AdamWRates& rates, float factor) {
  const F32 decay = splat(rates.decay);
  const F32 beta1 = splat(rates.beta1);
  const F32 beta2 = splat(rates.beta2);
  const F32 rest1 = splat(rates.rest1);
  const F32 rest2 = splat(rates.rest2);
  const F32 rate = splat(rates.rate);
  const F32 root = splat(rates.root);
  const F32 epsilon = splat(rates.eps);
  const F32 scale = splat(factor);
  const std::int64_t count = t.w.count();
  for_ranges(threads_for_elements(threads, count), count, kGrain,
             [&](std::int64_t begin, std::int64_t end) {
               for_lanes(end - begin, [&](std::int64_t offset, int lanes) CDT_INLINE {
                 const std::int64_t i = begin + offset;
                 const F32 g = load(t.grad.data + i, lanes) * scale;
                 const F32 first = load(t.first.data + i, lanes) * beta1 + g * rest1;
                 const F32 second = load(t.second.data + i, lanes) * beta2 + g * g * rest2;
                 store(t.first.data + i, first, lanes);
                 store(t.second.data + i, second, lanes);
                 const F32 denominator = square_root(second) / root + epsilon;
                 store(t.w.data + i, load(t.w.data + i, lanes) * decay - rate * first / denominator,
                       lanes);
               });
             });
}

}  // namespace

void CpuBackend::clip(std::span<const AdamWTensors> parameters, double max_norm,
                      const Tensor& clip) {
  double sum = 0.0;
  for (const AdamWTensors& t : parameters) sum += sum_of_squares(t.grad);
  const double norm = std::sqrt(sum);
  clip.data[0] = static_cast<float>(norm);
  clip.data[1] = clip_factor(norm, max_norm);
}

void CpuBackend::adamw(std::span<const AdamWTensors> parameters, const Tensor& rates,
                       const Tensor& clip) {
  if (!std::isfinite(clip.data[0])) return;
  for (const AdamWTensors& t : parameters) {
    AdamWRates now{};
    std::memcpy(&now, rates.data + t.group * rates.cols(), sizeof now);
    update(threads_, t, now, clip.data[1]);
  }
}

}  // namespace cdt
