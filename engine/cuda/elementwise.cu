// Copies between types, addition, dropout and GELU, element by element.
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

constexpr int kThreads = 256;
constexpr int kPerThread = 4;

/// body(i) for the elements of this block's part of [0, n).
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

template <class T>
__global__ void dropout_kernel(const T* x, T* y, int source_rows, int cols, Mask mask) {
  const auto row = std::int64_t{blockIdx.x};
  const T* in = x + row % source_rows * cols;
  T* out = y + row * cols;
  for_masked_columns(mask, blockIdx.x, cols,
                     [&](int c, float factor) { store(out, c, load(in, c) * factor); });
}

/// Row r of dx is the sum over the batch of rows b * rows + r of dy.
template <class T>
__global__ void dropout_backward_kernel(const T* dy, T* dx, int batch, int cols, Mask mask,
                                        bool accumulate) {
  const unsigned rows = gridDim.x;
  T* out = dx + std::int64_t{blockIdx.x} * cols;
  const int quads = (cols + 63) / 64 * 16;
  for (int q = static_cast<int>(threadIdx.x); q < quads; q += static_cast<int>(blockDim.x)) {
    const int first = 64 * (q / 16) + q % 16;
    float sum[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int c = first + 16 * i;
      sum[i] = accumulate && c < cols ? load(out, c) : 0.0F;
    }
    for (int b = 0; b < batch; ++b) {
      const unsigned row = static_cast<unsigned>(b) * rows + blockIdx.x;
      const T* in = dy + std::int64_t{row} * cols;
      const float4 f = mask_factors(mask, row, static_cast<std::uint32_t>(q));
      const float factor[4] = {f.x, f.y, f.z, f.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int c = first + 16 * i;
        if (c < cols) sum[i] += load(in, c) * factor[i];
      }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int c = first + 16 * i;
      if (c < cols) store(out, c, sum[i]);
    }
  }
}

template <class T>
__global__ void bias_kernel(T* c, const T* bias, int cols, std::int64_t ld) {
  T* row = c + std::int64_t{blockIdx.x} * ld;
  for_columns(cols, [&](int i) { store(row, i, load(row, i) + load(bias, i)); });
}

/// a = x + mask * a
template <class T>
__global__ void residual_kernel(const T* x, T* a, int source_rows, int cols, Mask mask) {
  const auto row = std::int64_t{blockIdx.x};
  const T* in = x + row % source_rows * cols;
  T* out = a + row * cols;
  for_masked_columns(mask, blockIdx.x, cols, [&](int c, float factor) {
    store(out, c, load(in, c) + load(out, c) * factor);
  });
}

template <class T>
__global__ void gelu_kernel(const T* x, T* y, int cols, Mask mask, unsigned first_row) {
  const std::int64_t at = std::int64_t{blockIdx.x} * cols;
  for_masked_columns(mask, first_row + blockIdx.x, cols, [&](int c, float factor) {
    const float v = load(x, at + c);
    store(y, at + c, v * normcdff(v) * factor);
  });
}

template <class T>
__global__ void gelu_backward_kernel(const T* x, const T* dy, T* dx, int cols, Mask mask,
                                     unsigned first_row) {
  constexpr float kDensityAtZero = 0.398942280F;
  const std::int64_t at = std::int64_t{blockIdx.x} * cols;
  for_masked_columns(mask, first_row + blockIdx.x, cols, [&](int c, float factor) {
    const float v = load(x, at + c);
    const float slope = normcdff(v) + v * kDensityAtZero * expf(-0.5F * v * v);
    store(dx, at + c, load(dy, at + c) * slope * factor);
  });
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

void CudaBackend::add_bias(const Operand& c, std::int64_t m, std::int64_t n, std::int64_t ldc,
                           const Operand& bias) {
  with_type(c.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, bias_kernel<T>, static_cast<unsigned>(m), row_threads(n),
           static_cast<T*>(c.data), static_cast<const T*>(bias.data), n, ldc);
  });
}

void CudaBackend::dropout(const Tensor& x, const DropoutKey& key, const Tensor& y) {
  with_type(y.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, dropout_kernel<T>, grid_of_rows(y), row_threads(y.cols()), elements<T>(x),
           elements<T>(y), x.rows(), y.cols(), mask(key));
  });
}

void CudaBackend::dropout_backward(const Tensor& dy, const DropoutKey& key, const Tensor& dx,
                                   bool accumulate) {
  with_type(dx.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, dropout_backward_kernel<T>, grid_of_rows(dx), row_threads(dx.cols()),
           elements<T>(dy), elements<T>(dx), dy.rows() / dx.rows(), dx.cols(), mask(key),
           accumulate);
  });
}

void CudaBackend::residual_dropout(const Tensor& x, const DropoutKey& key, const Tensor& a) {
  with_type(a.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, residual_kernel<T>, grid_of_rows(a), row_threads(a.cols()), elements<T>(x),
           elements<T>(a), x.rows(), a.cols(), mask(key));
  });
}

void CudaBackend::gelu_dropout(const Tensor& x, const DropoutKey& key, std::int64_t first_row,
                               const Tensor& y) {
  with_type(y.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, gelu_kernel<T>, grid_of_rows(y), row_threads(y.cols()), elements<T>(x),
           elements<T>(y), y.cols(), mask(key), first_row);
  });
}

void CudaBackend::gelu_dropout_backward(const Tensor& x, const Tensor& dy, const DropoutKey& key,
                                        std::int64_t first_row, const Tensor& dx) {
  with_type(dx.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, gelu_backward_kernel<T>, grid_of_rows(dx), row_threads(dx.cols()),
           elements<T>(x), elements<T>(dy), elements<T>(dx), dx.cols(), mask(key), first_row);
  });
}

}  // namespace cdt
