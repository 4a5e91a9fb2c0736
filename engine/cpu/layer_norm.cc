// Layer normalisation: per row, the mean, then the squared deviations (two passes over a row that
// is in the L1 cache).
#include <cmath>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"

namespace cdt {
namespace {

constexpr float kEpsilon = 1e-5F;

void normalise_row(const float* x, const float* gamma, const float* beta, std::int64_t cols,
                   float* y, float* stats) {
  const auto width = static_cast<float>(cols);
  const float mean = sum_over<F32>(cols, [&](std::int64_t i, int lanes)
                                             CDT_INLINE { return load(x + i, lanes); }) /
                     width;
  float squares = sum_over<F32>(cols / kLanes * kLanes, [&](std::int64_t i, int lanes) CDT_INLINE {
    const F32 d = load(x + i, lanes) - splat(mean);
    return d * d;
  });
  for (std::int64_t i = cols / kLanes * kLanes; i < cols; ++i) {
    squares += (x[i] - mean) * (x[i] - mean);
  }
  const float scale = 1.0F / std::sqrt(squares / width + kEpsilon);
  for_lanes(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
    const F32 normal = (load(x + i, lanes) - splat(mean)) * splat(scale);
    store(y + i, fma(normal, load(gamma + i, lanes), load(beta + i, lanes)), lanes);
  });
  stats[0] = mean;
  stats[1] = scale;
}

/// Sums dy * gamma and dy * gamma * normalised x over a row, then computes dx = scale * (dy * gamma
/// - mean of the first - normalised x * mean of the second).
void backward_row(const float* x, const float* gamma, const float* stats, const float* dy,
                  std::int64_t cols, float* dx) {
  const F32 mean = splat(stats[0]);
  const F32 scale = splat(stats[1]);
  const auto width = static_cast<float>(cols);
  const float sum = sum_over<F32>(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
    return load(dy + i, lanes) * load(gamma + i, lanes);
  });
  const float dot = sum_over<F32>(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
    return load(dy + i, lanes) * load(gamma + i, lanes) * ((load(x + i, lanes) - mean) * scale);
  });
  const F32 shift = splat(sum / width);
  const F32 slope = splat(dot / width);
  for_lanes(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
    const F32 normal = (load(x + i, lanes) - mean) * scale;
    const F32 d = load(dy + i, lanes) * load(gamma + i, lanes) - shift - normal * slope;
    store(dx + i, d * scale, lanes);
  });
}

}  // namespace

void CpuBackend::layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                            const Tensor& y, const Tensor& stats) {
  const std::int64_t cols = x.cols();
  for_rows(threads_, x.rows(), cols, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      normalise_row(x.data + r * cols, gamma.data, beta.data, cols, y.data + r * cols,
                    stats.data + 2 * r);
    }
  });
}

void CpuBackend::scale_and_centre(const Tensor& r, const Tensor& gamma, const Tensor& v) {
  const std::int64_t cols = r.cols();
  for_rows(threads_, r.rows(), cols, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* in = r.data + row * cols;
      const auto scaled = [&](std::int64_t i, int lanes) CDT_INLINE {
        return load(in + i, lanes) * load(gamma.data + i, lanes);
      };
      const F32 mean = splat(sum_over<F32>(cols, scaled) / static_cast<float>(cols));
      for_lanes(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
        store(v.data + row * cols + i, scaled(i, lanes) - mean, lanes);
      });
    }
  });
}

void CpuBackend::residual_dropout_norm(const Tensor& x, const DropoutKey& key, const Tensor& a,
                                       const Tensor& gamma, const Tensor& beta, const Tensor& y,
                                       const Tensor& stats) {
  residual_dropout(x, key, a);
  layer_norm(a, gamma, beta, y, stats);
}

void CpuBackend::layer_norm_backward(const Tensor& x, const Tensor& gamma, const Tensor& stats,
                                     const Tensor& dy, const Tensor& dx, const Tensor& dgamma,
                                     const Tensor& dbeta) {
  const std::int64_t rows = x.rows();
  const std::int64_t cols = x.cols();
  const bool weights = !dgamma.empty() || !dbeta.empty();
  const std::int64_t chunk = std::max<std::int64_t>(16, ceil_div(rows, 64));
  const std::int64_t chunks = ceil_div(rows, chunk);
  float* partial = weights ? partial_sums(chunks * 2 * cols) : nullptr;  // (chunks, 2, cols)
  parallel_for(threads_for_elements(threads_, x.count()), chunks, [&](std::int64_t task, int) {
    float* gamma_sum = partial + task * 2 * cols;
    float* beta_sum = gamma_sum + cols;
    if (weights) std::fill(gamma_sum, gamma_sum + 2 * cols, 0.0F);
    for (std::int64_t r = task * chunk; r < std::min(rows, (task + 1) * chunk); ++r) {
      const float* in = x.data + r * cols;
      const float* up = dy.data + r * cols;
      const float* row_stats = stats.data + 2 * r;
      if (weights) {
        for_lanes(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
          const F32 d = load(up + i, lanes);
          const F32 normal = (load(in + i, lanes) - splat(row_stats[0])) * splat(row_stats[1]);
          store(gamma_sum + i, fma(d, normal, load(gamma_sum + i, lanes)), lanes);
          store(beta_sum + i, load(beta_sum + i, lanes) + d, lanes);
        });
      }
      if (!dx.empty()) backward_row(in, gamma.data, row_stats, up, cols, dx.data + r * cols);
    }
  });
  if (!dgamma.empty()) add_partial_sums(partial, chunks, 2 * cols, dgamma, true);
  if (!dbeta.empty()) add_partial_sums(partial + cols, chunks, 2 * cols, dbeta, true);
}

void CpuBackend::add_norm_backward(const AddNormBackward& g) {
  const bool goes_on = !g.dx.empty() || !g.da.empty();
  layer_norm_backward(g.sum, g.gamma, g.stats, g.dy, goes_on ? g.dy : Tensor{}, g.dgamma, g.dbeta);
  if (!g.dx.empty()) dropout_backward(g.dy, kNoDropout, g.dx, g.add_dx);
  if (g.da.empty()) return;
  dropout_backward(g.dy, g.dropout, g.da, g.add_da);
  if (!g.dbias.empty()) column_sum(g.da, g.dbias, true);
}

}  // namespace cdt
