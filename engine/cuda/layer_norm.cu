// Layer normalisation, alone and after a residual connection, and the gradient of both. Sixteen
// lanes own a row (rows.cuh): first the mean, then the squared deviations.
#include "engine/cuda/column_sums.cuh"
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"
#include "engine/cuda/rows.cuh"

namespace cdt {
namespace {

constexpr float kEpsilon = 1e-5F;
constexpr int kForwardRows = 8;   // rows per block
constexpr int kBackwardRows = 4;  // rows per block at a time
constexpr int kSums = 3;          // sums that backward computes: for gamma, beta and a bias

/// True if column c is within the row; always true for rows of whole units.
template <bool kWhole>
__device__ __forceinline__ bool in_row(int c, int cols) {
  return kWhole || c < cols;
}

/// Without a, s = x; with a, s = a = x + mask * a as rounded when stored. Then y = gamma * (s -
/// mean) * scale + beta.
template <class T, int kUnits, bool kWhole>
__global__ void layer_norm_kernel(const T* x, T* a, const float* gamma, const float* beta, T* y,
                                  float* stats, int rows, int source_rows, int cols, Mask mask) {
  using Row = RowUnits<T, kUnits, kWhole>;
  const int place =
      static_cast<int>(blockIdx.x) * kForwardRows + static_cast<int>(threadIdx.x) / kRowLanes;
  const bool inside = place < rows;  // lanes past the last row recompute it and store nothing
  const int row = inside ? place : rows - 1;
  const std::int64_t at = std::int64_t{row} * cols;
  const T* source = x + std::int64_t{row % source_rows} * cols;
  Row s(a != nullptr ? a + at : source, cols);
  if (a != nullptr) {
    Row::for_units(cols, [&](int k, int unit) {
      const Unit factor = mask_unit(mask, static_cast<std::uint32_t>(row), unit);
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int c = first_column(unit) + 16 * j;
        float sum[4], branch[4];
        unpack(load_piece<kWhole>(source, c, cols), sum);
        s.get(k, unit, j, branch);
#pragma unroll
        for (int i = 0; i < 4; ++i) sum[i] += branch[i] * factor.at[j][i];
        s.hold(k, j, packed(sum, T{}));
        if (inside) store_piece<kWhole>(a + at, c, cols, packed(sum, T{}));
      }
    });
  }
  const auto width = static_cast<float>(cols);
  float sum = 0.0F;
  Row::for_units(cols, [&](int k, int unit) {
    for_pieces(s, k, unit, [&](int, const float(&value)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sum += value[i];
    });
  });
  const float mean = sum_over_row(sum) / width;
  float squares = 0.0F;
  Row::for_units(cols, [&](int k, int unit) {
    for_pieces(s, k, unit, [&](int c, const float(&value)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float d = in_row<kWhole>(c + i, cols) ? value[i] - mean : 0.0F;
        squares += d * d;
      }
    });
  });
  const float scale = 1.0F / sqrtf(sum_over_row(squares) / width + kEpsilon);
  if (!inside) return;
  Row::for_units(cols, [&](int k, int unit) {
    for_pieces(s, k, unit, [&](int c, const float(&value)[4]) {
      float weight[4], shift[4], out[4];
      unpack(load_piece<kWhole>(gamma, c, cols), weight);
      unpack(load_piece<kWhole>(beta, c, cols), shift);
#pragma unroll
      for (int i = 0; i < 4; ++i) out[i] = (value[i] - mean) * scale * weight[i] + shift[i];
      store_piece<kWhole>(y + at, c, cols, packed(out, T{}));
    });
  });
  if (Row::lane() == 0) {
    stats[2 * std::int64_t{row}] = mean;
    stats[2 * std::int64_t{row} + 1] = scale;
  }
}

__global__ void scale_and_centre_kernel(const float* r, const float* gamma, float* v, int cols) {
  const std::int64_t at = std::int64_t{blockIdx.x} * cols;
  float sum = 0.0F;
  for_columns(cols, [&](int c) { sum += r[at + c] * gamma[c]; });
  const float mean = sum_over_block(sum) / static_cast<float>(cols);
  for_columns(cols, [&](int c) { v[at + c] = r[at + c] * gamma[c] - mean; });
}

/// Arguments of the kernel below; dx, da and partial may be null.
template <class T>
struct NormGradient {
  const T* s;
  const float* gamma;
  const float* stats;
  const T* dy;
  T* dx;
  T* da;
  float* partial;  // (sets, kSums, cols)
  bool add_dx, add_da;
  int rows, cols;
  Mask mask;
};

/// ds = scale * (dy * gamma - mean(dy * gamma) - n * mean(dy * gamma * n)), n the normalised s; dx
/// (+)= ds, da (+)= mask * ds; sums over rows of dy * n, dy and mask * ds.
template <class T, int kUnits, bool kWhole>
__global__ void norm_gradient_kernel(NormGradient<T> g) {
  using Row = RowUnits<T, kUnits, kWhole>;
  CDT_DYNAMIC_SHARED(float4, shared);
  const int slot = static_cast<int>(threadIdx.x) / kRowLanes;
  const int set = static_cast<int>(blockIdx.x) * kBackwardRows + slot;
  using Sums = ColumnSums<kSums, kUnits, kWhole>;
  Sums sums(shared + slot * Sums::kPieces, g.partial + std::int64_t{set} * kSums * g.cols, g.cols);
  if (g.partial != nullptr) {
    Row::for_units(g.cols, [&](int k, int unit) { sums.clear(k, unit); });
  }
  const auto width = static_cast<float>(g.cols);
  const int step = static_cast<int>(gridDim.x) * kBackwardRows;
  // The two rows of a warp advance together; lanes past the last row recompute it.
  for (int place = set; place - slot < g.rows; place += step) {
    const bool inside = place < g.rows;
    const int row = inside ? place : g.rows - 1;
    const std::int64_t at = std::int64_t{row} * g.cols;
    const float mean = g.stats[2 * std::int64_t{row}];
    const float scale = g.stats[2 * std::int64_t{row} + 1];
    const Row s(g.s + at, g.cols);
    const Row dy(g.dy + at, g.cols);
    float sum = 0.0F;
    float dot = 0.0F;
    Row::for_units(g.cols, [&](int k, int unit) {
      for_pieces(s, dy, k, unit, [&](int c, int, const float(&x)[4], const float(&up)[4]) {
        float weight[4];
        unpack(load_piece<kWhole>(g.gamma, c, g.cols), weight);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const float h = up[i] * weight[i];
          sum += h;
          dot += h * ((x[i] - mean) * scale);
        }
      });
    });
    const float shift = sum_over_row(sum) / width;
    const float slope = sum_over_row(dot) / width;
    if (!inside) continue;
    Row::for_units(g.cols, [&](int k, int unit) {
      Unit factor{};
      if (g.da != nullptr) factor = mask_unit(g.mask, static_cast<std::uint32_t>(row), unit);
      for_pieces(s, dy, k, unit, [&](int c, int j, const float(&x)[4], const float(&up)[4]) {
        float weight[4], ds[4], masked[4], product[4];
        unpack(load_piece<kWhole>(g.gamma, c, g.cols), weight);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const float normal = (x[i] - mean) * scale;
          ds[i] = (up[i] * weight[i] - shift - normal * slope) * scale;
          masked[i] = ds[i] * factor.at[j][i];
          product[i] = up[i] * normal;
        }
        if (g.partial != nullptr) {
          sums.add(0, k, j, c, product);
          sums.add(1, k, j, c, up);
          if (g.da != nullptr) sums.add(2, k, j, c, masked);
        }
        if (g.dx != nullptr) put_gradient<kWhole>(g.dx + at, c, g.cols, ds, g.add_dx);
        if (g.da != nullptr) put_gradient<kWhole>(g.da + at, c, g.cols, masked, g.add_da);
      });
    });
  }
  if constexpr (kUnits > 0) {
    if (g.partial == nullptr) return;
    store_sums<Sums, kBackwardRows, kWhole>(
        shared, g.partial + std::int64_t{blockIdx.x} * kSums * g.cols, g.cols);
  }
}

}  // namespace

void CudaBackend::normalise(const Tensor& x, const Tensor& a, const DropoutKey& key,
                            const Tensor& gamma, const Tensor& beta, const Tensor& y,
                            const Tensor& stats) {
  const std::int64_t cols = y.cols();
  with_row_units(cols, {y, x, a, gamma, beta}, [&](auto t, auto units, auto whole) {
    using T = decltype(t);
    launch(stream_, layer_norm_kernel<T, units(), whole()>, blocks_for(y.rows(), kForwardRows),
           kForwardRows * kRowLanes, elements<T>(x), elements<T>(a), gamma.data, beta.data,
           elements<T>(y), stats.data, y.rows(), x.rows(), cols, mask(key));
  });
}

void CudaBackend::layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                             const Tensor& y, const Tensor& stats) {
  normalise(x, {}, kNoDropout, gamma, beta, y, stats);
}

void CudaBackend::residual_dropout_norm(const Tensor& x, const DropoutKey& key, const Tensor& a,
                                        const Tensor& gamma, const Tensor& beta, const Tensor& y,
                                        const Tensor& stats) {
  normalise(x, a, key, gamma, beta, y, stats);
}

void CudaBackend::scale_and_centre(const Tensor& r, const Tensor& gamma, const Tensor& v) {
  launch(stream_, scale_and_centre_kernel, grid_of_rows(r), row_threads(r.cols()), r.data,
         gamma.data, v.data, r.cols());
}

void CudaBackend::norm_gradient(const AddNormBackward& g) {
  const std::int64_t rows = g.sum.rows();
  const std::int64_t cols = g.sum.cols();
  const bool sums = !g.dgamma.empty() || !g.dbeta.empty() || !g.dbias.empty();
  const auto blocks = static_cast<unsigned>(
      std::min<std::int64_t>(ceil_div(rows, kBackwardRows), sums ? kMostSums : kMostBlocks));
  with_row_units(cols, {g.sum, g.dy, g.dx, g.da, g.gamma}, [&](auto t, auto units, auto whole) {
    using T = decltype(t);
    // Two rows of four units that are not whole do not fit into registers.
    constexpr int kUnits = !whole() && units() == 4 ? 0 : units();
    constexpr bool kShared = kUnits > 0;
    const std::int64_t sets = kShared ? blocks : std::int64_t{blocks} * kBackwardRows;
    float* partial = sums ? partials(sets * kSums * cols) : nullptr;
    constexpr std::size_t kBytes =
        sizeof(float4) * kBackwardRows * ColumnSums<kSums, kUnits, whole()>::kPieces;
    launch_shared(stream_, norm_gradient_kernel<T, kUnits, whole()>, blocks,
                  kBackwardRows * kRowLanes, sums ? kBytes : 0,
                  NormGradient<T>{elements<T>(g.sum), g.gamma.data, g.stats.data, elements<T>(g.dy),
                                  elements<T>(g.dx), elements<T>(g.da), partial, g.add_dx, g.add_da,
                                  static_cast<int>(rows), static_cast<int>(cols), mask(g.dropout)});
    if (!sums) return;
    const std::int64_t stride = kSums * cols;
    add_partials({{partial, sets, stride, g.dgamma, true},
                  {partial + cols, sets, stride, g.dbeta, true},
                  {partial + 2 * cols, sets, stride, g.dbias, true}});
  });
}

void CudaBackend::layer_norm_backward(const Tensor& x, const Tensor& gamma, const Tensor& stats,
                                      const Tensor& dy, const Tensor& dx, const Tensor& dgamma,
                                      const Tensor& dbeta) {
  norm_gradient({.sum = x,
                 .gamma = gamma,
                 .stats = stats,
                 .dy = dy,
                 .dx = dx,
                 .dgamma = dgamma,
                 .dbeta = dbeta});
}

void CudaBackend::add_norm_backward(const AddNormBackward& g) {
  if (g.dx.empty() || g.dx.rows() == g.dy.rows()) return norm_gradient(g);
  AddNormBackward own = g;  // the batch shares x: first the gradient per sample, then the sum
  own.dx = g.dy;
  own.add_dx = false;
  norm_gradient(own);
  dropout_backward(g.dy, kNoDropout, g.dx, g.add_dx);
}

}  // namespace cdt
