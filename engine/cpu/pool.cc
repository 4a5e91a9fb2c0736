// Pooling with few queries, as matrix products.
#include <vector>

#include "engine/cpu/cpu_backend.h"

namespace cdt {

void CpuBackend::pool_scores(const Tensor& u, const Tensor& x, const Tensor& shift, float scale,
                             const Tensor& out) {
  const std::int64_t heads = out.shape[1];
  const std::int64_t n = out.shape[2];
  const std::int64_t d = x.cols();
  if (!shift.empty()) {
    for (std::int64_t row = 0; row < shift.count(); ++row) {
      fill({out.data + row * n, {n}}, scale * shift.data[row]);
    }
  }
  gemm({.trans_b = true,
        .m = heads,
        .n = n,
        .k = d,
        .alpha = scale,
        .a = u,
        .lda = d,
        .b = x,
        .ldb = d,
        .beta = shift.empty() ? 0.0F : 1.0F,
        .c = out,
        .ldc = n,
        .batch = out.shape[0],
        .stride_a = u.shape[0] == 1 ? 0 : heads * d,
        .stride_b = n * d,
        .stride_c = heads * n});
}

void CpuBackend::pool_mix(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                          Arena& scratch) {
  const std::int64_t batch = p.shape[0];
  const std::int64_t heads = p.shape[1];
  const std::int64_t n = p.shape[2];
  const std::int64_t d = x.cols();
  const bool summed = mixed.shape[0] == 1;
  for (std::int64_t b = 0; b < batch; ++b) {
    gemm({.m = heads,
          .n = d,
          .k = n,
          .a = p.data + b * heads * n,
          .lda = n,
          .b = x.data + b * n * d,
          .ldb = d,
          .beta = summed && b > 0 ? 1.0F : 0.0F,
          .c = mixed.data + (summed ? 0 : b * heads * d),
          .ldc = d});
  }
  if (mass.empty()) return;
  const Scratch ones(scratch, {n});
  fill(*ones, 1.0F);
  gemm({.m = batch * heads,
        .n = 1,
        .k = n,
        .a = p,
        .lda = n,
        .b = *ones,
        .ldb = 1,
        .c = mass,
        .ldc = 1});
}

void CpuBackend::pool_input_gradient(const Tensor& ds, const Tensor& u, const Tensor& p,
                                     const Tensor& dmixed, const Tensor& dx, bool accumulate) {
  const std::int64_t heads = p.shape[1];
  const std::int64_t n = p.shape[2];
  const std::int64_t d = dx.cols();
  Gemm g{.trans_a = true,
         .m = n,
         .n = d,
         .k = heads,
         .a = ds,
         .lda = n,
         .b = u,
         .ldb = d,
         .beta = accumulate ? 1.0F : 0.0F,
         .c = dx,
         .ldc = d,
         .batch = p.shape[0],
         .stride_a = heads * n,
         .stride_b = 0,
         .stride_c = n * d};
  gemm(g);
  g.a = p;
  g.b = dmixed;
  g.stride_b = heads * d;
  g.beta = 1.0F;
  gemm(g);
}

}  // namespace cdt
