// Matrix products: fixed tiles of C, each one sequential oneDNN product over the whole of k.
#include <dnnl.h>

#include <algorithm>
#include <string>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"
#include "engine/error.h"

namespace cdt {

void sgemm(bool trans_a, bool trans_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
           const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
           std::int64_t ldc) {
  const dnnl_status_t status = dnnl_sgemm(trans_a ? 'T' : 'N', trans_b ? 'T' : 'N', m, n, k, alpha,
                                          a, lda, b, ldb, beta, c, ldc);
  if (status != dnnl_success) {
    throw Error("cpu: oneDNN: sgemm failed with status " + std::to_string(status));
  }
}

namespace {

void add_bias(float* c, std::int64_t ldc, std::int64_t rows, std::int64_t cols, const float* bias) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = c + r * ldc;
    for_lanes(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
      store(row + i, load(row + i, lanes) + load(bias + i, lanes), lanes);
    });
  }
}

constexpr std::int64_t kFewTiles = 8;

constexpr std::int64_t kFeedForwardRows = 4096;

}  // namespace

std::int64_t CpuBackend::feed_forward_rows(std::int64_t rows, std::int64_t /*width*/,
                                           std::int64_t /*inner*/) {
  return std::min(rows, kFeedForwardRows);
}

void CpuBackend::gemm(const Gemm& g) {
  // oneDNN's micro-kernel is 8 rows by 48 columns; wide tiles repay its packing, but a small
  // problem should still give every thread a tile
  const Cut rows(g.m, 256, 8);
  Cut cols(g.n, 384, 48);
  if (g.batch * rows.count * cols.count < kFewTiles) cols = Cut(g.n, 192, 48);
  const std::int64_t tiles = rows.count * cols.count;
  const int threads = threads_for(threads_, g.batch * g.m * g.n * g.k);
  parallel_for(threads, g.batch * tiles, [&](std::int64_t task, int) {
    const std::int64_t batch = task / tiles;
    const std::int64_t row = rows.begin(task % tiles / cols.count);
    const std::int64_t col = cols.begin(task % cols.count);
    const std::int64_t m = rows.length(task % tiles / cols.count);
    const std::int64_t n = cols.length(task % cols.count);
    const float* a = g.a.floats() + batch * g.stride_a + (g.trans_a ? row : row * g.lda);
    const float* b = g.b.floats() + batch * g.stride_b + (g.trans_b ? col * g.ldb : col);
    float* c = g.c.floats() + batch * g.stride_c + row * g.ldc + col;
    sgemm(g.trans_a, g.trans_b, m, n, g.k, g.alpha, a, g.lda, b, g.ldb, g.beta, c, g.ldc);
    if (g.bias) add_bias(c, g.ldc, m, n, g.bias.floats() + col);
  });
}

}  // namespace cdt
