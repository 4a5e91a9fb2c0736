// Pooling with few queries: matrix products, and single passes over the tokens where the products
// are narrow.
#include <algorithm>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"
#include "engine/product.h"

namespace cdt {

void CpuBackend::pool_scores(const Tensor& u, const Tensor& x, const Tensor& shift, float scale,
                             const Tensor& out) {
  const std::int64_t n = out.shape[2];
  if (!shift.empty()) {
    for (std::int64_t row = 0; row < shift.count(); ++row) {
      fill({out.data + row * n, {n}}, scale * shift.data[row]);
    }
  }
  multiply(*this, stacked(u, u.shape[0]), transposed(stacked(x, x.shape[0])),
           stacked(out, out.shape[0]), {.alpha = scale, .beta = shift.empty() ? 0.0F : 1.0F});
}

void CpuBackend::pool_mix(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                          Arena& scratch) {
  const bool summed = mixed.shape[0] == 1;
  for (std::int64_t b = 0; b < p.shape[0]; ++b) {
    multiply(*this, p.slice(b, b + 1), x.slice(b, b + 1), summed ? mixed : mixed.slice(b, b + 1),
             {.beta = summed && b > 0 ? 1.0F : 0.0F});
  }
  if (mass.empty()) return;
  const Scratch ones(scratch, {p.cols(), 1});
  fill(*ones, 1.0F);
  multiply(*this, p, *ones, mass.reshaped({p.rows(), 1}));
}

void CpuBackend::pool_mix_scratch(const Tensor& p, const Tensor& /*x*/, const Tensor& /*mixed*/,
                                  const Tensor& mass, Arena& scratch) {
  if (!mass.empty()) const Scratch ones(scratch, {p.shape[2]});
}

void CpuBackend::pool_outer(const Tensor& ds, const Tensor& u, const Tensor& p,
                            const Tensor& dmixed, const Tensor& scale, const Tensor& base,
                            const Tensor& out) {
  const std::int64_t heads = p.shape[1];
  const std::int64_t n = p.shape[2];
  const std::int64_t cols = out.cols();
  for_rows(threads_, out.rows(), cols, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t sample = row / n;
      const std::int64_t first = sample * heads * n + row % n;  // offset of the coefficients
      const float* from = base.empty() ? nullptr : base.data + row * cols;
      const F32 factor = splat(scale.empty() ? 1.0F : scale.data[row]);
      const float* mixed = dmixed.data + sample * heads * cols;
      for_lanes(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
        F32 sum = from == nullptr ? splat(0.0F) : factor * load(from + i, lanes);
        for (std::int64_t h = 0; h < heads; ++h) {
          sum = fma(splat(ds.data[first + h * n]), load(u.data + h * cols + i, lanes), sum);
          sum = fma(splat(p.data[first + h * n]), load(mixed + h * cols + i, lanes), sum);
        }
        store(out.data + row * cols + i, sum, lanes);
      });
    }
  });
}

void CpuBackend::norm_factors(const Tensor& ds, const Tensor& p, const Tensor& slope,
                              const Tensor& stats, const Tensor& b, const Tensor& own) {
  const std::int64_t heads = p.shape[1];
  const std::int64_t n = p.shape[2];
  for_rows(threads_, n, 2 * heads, [&](std::int64_t begin, std::int64_t end) {
    std::fill(own.data + begin, own.data + end, 0.0F);
    for (std::int64_t k = 0; k < 2 * heads; ++k) {
      const float* a = k < heads ? ds.data + k * n : p.data + (k - heads) * n;
      for (std::int64_t i = begin; i < end; ++i) {
        const float coefficient = stats.data[2 * i + 1] * a[i];
        b.data[k * n + i] = coefficient;
        own.data[i] -= coefficient * slope.data[k * n + i];
      }
    }
  });
}

}  // namespace cdt
