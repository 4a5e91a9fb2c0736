// Sums: each fixed chunk first, then the chunks in order.
#include <cmath>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"

namespace cdt {
namespace {

constexpr std::int64_t kChunk = 4 * kGrain;  // elements per partial sum of squares

}  // namespace

void CpuBackend::add_partial_sums(const float* partial, std::int64_t chunks, std::int64_t stride,
                                  const Tensor& out, bool accumulate) {
  const int threads = threads_for_elements(threads_, out.count() * chunks);
  for_ranges(threads, out.count(), 256, [&](std::int64_t begin, std::int64_t end) {
    for_lanes(end - begin, [&](std::int64_t i, int lanes) CDT_INLINE {
      F32 sum{};
      for (std::int64_t c = 0; c < chunks; ++c) {
        sum += load(partial + c * stride + begin + i, lanes);
      }
      float* at = out.data + begin + i;
      store(at, accumulate ? load(at, lanes) + sum : sum, lanes);
    });
  });
}

void CpuBackend::column_sum(const Tensor& x, const Tensor& out, bool accumulate) {
  const std::int64_t rows = x.rows();
  const std::int64_t cols = x.cols();
  const std::int64_t chunk = std::max<std::int64_t>(16, ceil_div(rows, 64));
  const std::int64_t chunks = ceil_div(rows, chunk);
  float* partial = partial_sums(chunks * cols);
  parallel_for(threads_for_elements(threads_, x.count()), chunks, [&](std::int64_t task, int) {
    float* sum = partial + task * cols;
    std::fill(sum, sum + cols, 0.0F);
    for (std::int64_t r = task * chunk; r < std::min(rows, (task + 1) * chunk); ++r) {
      const float* in = x.data + r * cols;
      for_lanes(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
        store(sum + i, load(sum + i, lanes) + load(in + i, lanes), lanes);
      });
    }
  });
  add_partial_sums(partial, chunks, cols, out, accumulate);
}

double CpuBackend::sum_of_squares(const Tensor& x) {
  std::vector<double> partial(static_cast<std::size_t>(ceil_div(x.count(), kChunk)));
  for_ranges(threads_, x.count(), kChunk, [&](std::int64_t begin, std::int64_t end) {
    const float* in = x.data + begin;
    partial[static_cast<std::size_t>(begin / kChunk)] =
        sum_over<F64>(end - begin, [&](std::int64_t i, int lanes) CDT_INLINE {
          const F64 wide = widen(load(in + i, lanes));
          return wide * wide;
        });
  });
  double sum = 0.0;
  for (const double part : partial) sum += part;
  return sum;
}

void CpuBackend::row_dot_sqrt(const Tensor& a, const Tensor& b, const Tensor& out) {
  const std::int64_t cols = a.cols();
  for_rows(threads_, a.rows(), cols, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const float* left = a.data + r * cols;
      const float* right = b.data + r * cols;
      const double dot = sum_over<F64>(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
        return widen(load(left + i, lanes)) * widen(load(right + i, lanes));
      });
      out.data[r] = static_cast<float>(std::sqrt(std::max(0.0, dot)));
    }
  });
}

}  // namespace cdt
