// Element-wise kernels: conversions between types, addition, dropout and GELU.
#include "engine/cuda/column_sums.cuh"
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/gelu.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"
#include "engine/cuda/rows.cuh"

namespace cdt {
namespace {

constexpr int kThreads = 256;
constexpr int kPerThread = 4;
constexpr int kTurns = 4;  // rows per walking thread, if that gives enough blocks

/// Calls body(i) for the elements of this block's part of [0, n).
template <class Body>
__device__ __forceinline__ void for_elements(std::int64_t n, const Body& body) {
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads * kPerThread + threadIdx.x;
#pragma unroll
  for (int k = 0; k < kPerThread; ++k) {
    const std::int64_t i = first + k * kThreads;
    if (i < n) body(i);
  }
}

__global__ void fill_kernel(float* y, float value, std::int64_t n) {
  for_elements(n, [&](std::int64_t i) { y[i] = value; });
}

template <class To, class From>
__global__ void cast_kernel(To* to, const From* from, std::int64_t n) {
  for_elements(n, [&](std::int64_t i) { store(to, i, load(from, i)); });
}

template <class T>
__global__ void add_kernel(T* y, const T* x, std::int64_t n) {
  for_elements(n, [&](std::int64_t i) { store(y, i, load(y, i) + load(x, i)); });
}

/// One block per row.
template <class T>
__global__ void zero_rows_kernel(const float* keep, T* x, int cols) {
  if (keep[blockIdx.x] != 0.0F) return;
  T* row = x + std::int64_t{blockIdx.x} * cols;
  for_columns(cols, [&](int c) { store(row, c, 0.0F); });
}

/// Copies the rows of x, repeated, to the rows of y, which are `stride` apart. One thread per
/// column of x.
__global__ void put_columns_kernel(const float* x, float* y, int x_rows, int rows, int n,
                                   int stride) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (c >= n) return;
  for (int b = 0; b < rows; ++b) {
    y[std::int64_t{b} * stride + c] = x[std::int64_t{b % x_rows} * n + c];
  }
}

/// One thread per column of dx.
__global__ void take_columns_kernel(const float* dy, float* dx, int dx_rows, int rows, int n,
                                    int stride, bool accumulate) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (c >= n) return;
  for (int r = 0; r < dx_rows; ++r) {
    float* out = dx + std::int64_t{r} * n + c;
    float sum = accumulate ? *out : 0.0F;
    for (int b = r; b < rows; b += dx_rows) sum += dy[std::int64_t{b} * stride + c];
    *out = sum;
  }
}

/// y = mask * x; the rows of x are repeated.
template <class T, bool kWhole>
__global__ void dropout_kernel(const T* x, T* y, Walk walk, int source_rows, Mask mask) {
  walk_rows(walk, [&](int row, int unit) {
    const T* in = x + std::int64_t{row % source_rows} * walk.cols;
    Unit value = load_unit<kWhole>(in, unit, walk.cols);
    const Unit factor = mask_unit(mask, static_cast<std::uint32_t>(row), unit);
    for_unit([&](int j, int i) { value.at[j][i] *= factor.at[j][i]; });
    store_unit<kWhole>(y + std::int64_t{row} * walk.cols, unit, walk.cols, value);
  });
}

/// Row r of dx is the sum over the batch of rows b * rows + r of dy.
template <class T, bool kWhole>
__global__ void dropout_backward_kernel(const T* dy, T* dx, Walk walk, int batch, Mask mask,
                                        bool accumulate) {
  walk_rows(walk, [&](int row, int unit) {
    T* out = dx + std::int64_t{row} * walk.cols;
    Unit sum{};
    if (accumulate) sum = load_unit<kWhole>(out, unit, walk.cols);
    for (int b = 0; b < batch; ++b) {
      const int from = b * walk.rows + row;
      const Unit up = load_unit<kWhole>(dy + std::int64_t{from} * walk.cols, unit, walk.cols);
      const Unit factor = mask_unit(mask, static_cast<std::uint32_t>(from), unit);
      for_unit([&](int j, int i) { sum.at[j][i] += up.at[j][i] * factor.at[j][i]; });
    }
    store_unit<kWhole>(out, unit, walk.cols, sum);
  });
}

template <class T>
__global__ void bias_kernel(T* c, const T* bias, int cols, std::int64_t ld) {
  T* row = c + std::int64_t{blockIdx.x} * ld;
  for_columns(cols, [&](int i) { store(row, i, load(row, i) + load(bias, i)); });
}

/// a = x + mask * a
template <class T, bool kWhole>
__global__ void residual_kernel(const T* x, T* a, Walk walk, int source_rows, Mask mask) {
  walk_rows(walk, [&](int row, int unit) {
    const T* in = x + std::int64_t{row % source_rows} * walk.cols;
    T* out = a + std::int64_t{row} * walk.cols;
    Unit sum = load_unit<kWhole>(in, unit, walk.cols);
    const Unit branch = load_unit<kWhole>(out, unit, walk.cols);
    const Unit factor = mask_unit(mask, static_cast<std::uint32_t>(row), unit);
    for_unit([&](int j, int i) { sum.at[j][i] += branch.at[j][i] * factor.at[j][i]; });
    store_unit<kWhole>(out, unit, walk.cols, sum);
  });
}

template <class T, bool kWhole>
__global__ void gelu_kernel(const T* x, T* y, Walk walk, Mask mask) {
  walk_rows(walk, [&](int row, int unit) {
    const std::int64_t at = std::int64_t{row} * walk.cols;
    Unit value = load_unit<kWhole>(x + at, unit, walk.cols);
    const Unit factor = mask_unit(mask, static_cast<std::uint32_t>(row), unit);
    for_unit([&](int j, int i) { value.at[j][i] = gelu(value.at[j][i]) * factor.at[j][i]; });
    store_unit<kWhole>(y + at, unit, walk.cols, value);
  });
}

/// Blocks per multiprocessor: as many as still keep every value in registers.
template <class T, bool kWhole>
constexpr int kGeluBlocks = kWhole ? (sizeof(T) == 2 ? 4 : 3) : 2;

/// dx = dy * mask * gelu'(x); h = mask * gelu(x), or null; partial: column sums of dx, or null.
template <class T, bool kWhole>
__global__ void __launch_bounds__(kWalkThreads, kGeluBlocks<T, kWhole>)
    gelu_backward_kernel(const T* x, const T* dy, T* dx, T* h, float* partial, Walk walk,
                         Mask mask) {
  Unit sum{};
  walk_rows(walk, [&](int row, int unit) {
    const std::int64_t at = std::int64_t{row} * walk.cols;
    Unit value = load_unit<kWhole>(x + at, unit, walk.cols);
    Unit up = load_unit<kWhole>(dy + at, unit, walk.cols);
    const Unit factor = mask_unit(mask, static_cast<std::uint32_t>(row), unit);
    for_unit([&](int j, int i) {
      const GeluSlope g = gelu_and_slope(value.at[j][i]);
      value.at[j][i] = g.value * factor.at[j][i];
      up.at[j][i] *= g.slope * factor.at[j][i];
      sum.at[j][i] += up.at[j][i];
    });
    if (h != nullptr) store_unit<kWhole>(h + at, unit, walk.cols, value);
    store_unit<kWhole>(dx + at, unit, walk.cols, up);
  });
  if (partial != nullptr) store_partials(walk, sum, partial);
}

unsigned element_blocks(const Tensor& t) { return blocks_for(t.count(), kThreads * kPerThread); }

}  // namespace

void CudaBackend::fill(const Tensor& dst, float value) {
  CDT_CHECK(dst.dtype == Dtype::kFloat32, "fill is for float32");
  launch(stream_, fill_kernel, element_blocks(dst), kThreads, dst.data, value, dst.count());
}

void CudaBackend::cast(const Tensor& dst, const Tensor& src) {
  if (dst.dtype == src.dtype) {
    copy(dst, src);
    return;
  }
  const unsigned blocks = element_blocks(dst);
  if (dst.dtype == Dtype::kBFloat16) {
    launch(stream_, cast_kernel<BFloat16, float>, blocks, kThreads, elements<BFloat16>(dst),
           src.data, dst.count());
  } else {
    launch(stream_, cast_kernel<float, BFloat16>, blocks, kThreads, dst.data,
           elements<BFloat16>(src), dst.count());
  }
}

void CudaBackend::add_to(const Tensor& out, const Tensor& a) {
  with_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, add_kernel<T>, element_blocks(out), kThreads, elements<T>(out), elements<T>(a),
           out.count());
  });
}

void CudaBackend::put_columns(const Tensor& x, std::int64_t first, const Tensor& y) {
  launch(stream_, put_columns_kernel, blocks_for(x.cols(), kColumnThreads), kColumnThreads, x.data,
         y.data + first, x.rows(), y.rows(), x.cols(), y.cols());
}

void CudaBackend::take_columns(const Tensor& dy, std::int64_t first, const Tensor& dx,
                               bool accumulate) {
  launch(stream_, take_columns_kernel, blocks_for(dx.cols(), kColumnThreads), kColumnThreads,
         dy.data + first, dx.data, dx.rows(), dy.rows(), dx.cols(), dy.cols(), accumulate);
}

void CudaBackend::add_bias(const Operand& c, std::int64_t m, std::int64_t n, std::int64_t ldc,
                           const Operand& bias) {
  with_type(c.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, bias_kernel<T>, static_cast<unsigned>(m), row_threads(n),
           static_cast<T*>(c.data), static_cast<const T*>(bias.data), n, ldc);
  });
}

void CudaBackend::zero_rows(const Tensor& keep, const Tensor& x) {
  with_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, zero_rows_kernel<T>, grid_of_rows(x), row_threads(x.cols()), keep.data,
           elements<T>(x), x.cols());
  });
}

void CudaBackend::dropout(const Tensor& x, const DropoutKey& key, const Tensor& y) {
  const Walk walk(y.rows(), y.cols());
  with_pieces(walk.cols, {y, x}, [&](auto t, auto whole) {
    using T = decltype(t);
    launch(stream_, dropout_kernel<T, whole()>, walk.grid(kTurns, kMostBlocks), kWalkThreads,
           elements<T>(x), elements<T>(y), walk, x.rows(), mask(key));
  });
}

void CudaBackend::dropout_backward(const Tensor& dy, const DropoutKey& key, const Tensor& dx,
                                   bool accumulate) {
  const Walk walk(dx.rows(), dx.cols());
  with_pieces(walk.cols, {dx, dy}, [&](auto t, auto whole) {
    using T = decltype(t);
    launch(stream_, dropout_backward_kernel<T, whole()>, walk.grid(1, kMostBlocks), kWalkThreads,
           elements<T>(dy), elements<T>(dx), walk, dy.rows() / dx.rows(), mask(key), accumulate);
  });
}

void CudaBackend::residual_dropout(const Tensor& x, const DropoutKey& key, const Tensor& a) {
  const Walk walk(a.rows(), a.cols());
  with_pieces(walk.cols, {a, x}, [&](auto t, auto whole) {
    using T = decltype(t);
    launch(stream_, residual_kernel<T, whole()>, walk.grid(kTurns, kMostBlocks), kWalkThreads,
           elements<T>(x), elements<T>(a), walk, x.rows(), mask(key));
  });
}

void CudaBackend::gelu_dropout(const Tensor& x, const DropoutKey& key, std::int64_t first_row,
                               const Tensor& y) {
  const Walk walk(y.rows(), y.cols());
  with_pieces(walk.cols, {y, x}, [&](auto t, auto whole) {
    using T = decltype(t);
    launch(stream_, gelu_kernel<T, whole()>, walk.grid(kTurns, kMostBlocks), kWalkThreads,
           elements<T>(x), elements<T>(y), walk, mask(key, first_row));
  });
}

void CudaBackend::gelu_dropout_backward(const Tensor& x, const Tensor& dy, const DropoutKey& key,
                                        std::int64_t first_row, const Tensor& dx, const Tensor& h,
                                        const Tensor& dbias) {
  const Walk walk(dx.rows(), dx.cols());
  const dim3 grid = walk.grid(kTurns, dbias.empty() ? kMostBlocks : kMostSums);
  float* partial = dbias.empty() ? nullptr : partials(std::int64_t{grid.y} * walk.cols);
  with_pieces(walk.cols, {dx, dy, x, h}, [&](auto t, auto whole) {
    using T = decltype(t);
    launch(stream_, gelu_backward_kernel<T, whole()>, grid, kWalkThreads, elements<T>(x),
           elements<T>(dy), elements<T>(dx), elements<T>(h), partial, walk, mask(key, first_row));
  });
  if (!dbias.empty()) add_partials({{partial, grid.y, walk.cols, dbias, true}});
}

}  // namespace cdt
