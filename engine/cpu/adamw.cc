// AdamW in PyTorch's order of operations.
#include <cmath>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"

namespace cdt {

void CpuBackend::adamw(const Tensor& w, const Tensor& grad, const Tensor& m, const Tensor& v,
                       const AdamWStep& step) {
  const F32 decay = splat(static_cast<float>(1.0 - step.lr * step.weight_decay));
  const F32 beta1 = splat(static_cast<float>(step.beta1));
  const F32 beta2 = splat(static_cast<float>(step.beta2));
  const F32 rest1 = splat(static_cast<float>(1.0 - step.beta1));
  const F32 rest2 = splat(static_cast<float>(1.0 - step.beta2));
  const F32 rate = splat(static_cast<float>(step.lr / step.bias_correction1));
  const F32 root = splat(static_cast<float>(std::sqrt(step.bias_correction2)));
  const F32 epsilon = splat(static_cast<float>(step.eps));
  const F32 scale = splat(step.grad_scale);
  for_ranges(threads_for_elements(threads_, w.count()), w.count(), kGrain,
             [&](std::int64_t begin, std::int64_t end) {
               for_lanes(end - begin, [&](std::int64_t offset, int lanes) CDT_INLINE {
                 const std::int64_t i = begin + offset;
                 const F32 g = load(grad.data + i, lanes) * scale;
                 const F32 first = load(m.data + i, lanes) * beta1 + g * rest1;
                 const F32 second = load(v.data + i, lanes) * beta2 + g * g * rest2;
                 store(m.data + i, first, lanes);
                 store(v.data + i, second, lanes);
                 const F32 denominator = square_root(second) / root + epsilon;
                 store(w.data + i, load(w.data + i, lanes) * decay - rate * first / denominator,
                       lanes);
               });
             });
}

}  // namespace cdt
