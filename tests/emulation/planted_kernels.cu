// Small kernels for the tests of the emulation: correct ones, and ones with a single mistake.
#include "tests/emulation/planted_kernels.h"

namespace cdt::test {
namespace {

constexpr int kThreads = 96;

__device__ __forceinline__ float warp_sum(float x) {
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffffU, x, step);
  return x;
}

/// out(blocks) = sums of rows of in(blocks, n)
template <bool kBarrier>
__global__ void __launch_bounds__(kThreads)
    row_sum(const float* __restrict__ in, float* __restrict__ out, int n) {
  __shared__ float partial[kThreads / 32];
  float sum = 0.0F;
  for (int i = static_cast<int>(threadIdx.x); i < n; i += kThreads) {
    sum += __ldg(in + blockIdx.x * static_cast<unsigned>(n) + static_cast<unsigned>(i));
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  if (kBarrier) __syncthreads();
  if (threadIdx.x == 0) out[blockIdx.x] = partial[0] + partial[1] + partial[2];
}

/// out (n, n) = in (n, n) transposed, n <= 32, through shared memory of one block of (n, n)
/// threads.
template <bool kBarrier>
__global__ void transpose(const float* in, float* out) {
  __shared__ float tile[32][33];
  const unsigned n = blockDim.x;
  tile[threadIdx.y][threadIdx.x] = in[threadIdx.y * n + threadIdx.x];
  if (kBarrier) __syncthreads();
  out[threadIdx.y * n + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}

/// The second round overwrites what slower warps are still reading in the first.
template <bool kBarrier>
__global__ void two_rounds(float* out) {
  __shared__ float value;
  float sum = 0.0F;
  for (int round = 0; round < 2; ++round) {
    if (threadIdx.x == 0) value = static_cast<float>(round + 1);
    __syncthreads();
    sum += value;
    if (kBarrier) __syncthreads();
  }
  out[threadIdx.x] = sum;
}

__global__ void copy(const float* in, float* out, int n, int shift) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) out[i] = in[i + shift];
}

__global__ void copy4(const float* in, float* out, int shift) {
  const float4 v = *reinterpret_cast<const float4*>(in + 4 * threadIdx.x + shift);
  out[4 * threadIdx.x] = v.x + v.y + v.z + v.w;
}

/// Every block writes the same place.
__global__ void race(float* out) { out[0] = static_cast<float>(blockIdx.x); }

__global__ void early_exit(float* out) {
  if (threadIdx.x > 40) return;
  __syncthreads();
  out[threadIdx.x] = 1.0F;
}

__global__ void two_barriers(float* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = 1.0F;
}

__global__ void missing_lane(float* out) {
  if (threadIdx.x == 5) return;
  out[threadIdx.x] = __shfl_down_sync(0xffffffffU, 1.0F, 1);
}

__global__ void outside_own_mask(float* out) { out[threadIdx.x] = __shfl_sync(0xffffU, 1.0F, 0); }

__global__ void uninitialised_shared(float* out) {
  __shared__ float values[64];
  if (threadIdx.x > 0) values[threadIdx.x] = 1.0F;
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x];
}

__global__ void shared_index(float* out, int index) {
  __shared__ float values[64];
  values[threadIdx.x] = 1.0F;
  __syncthreads();
  out[threadIdx.x] = values[static_cast<int>(threadIdx.x) + index];
}

__global__ void dynamic_sum(float* out, int count) {
  CDT_DYNAMIC_SHARED(float, values);
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x))
    values[i] = 1.0F;
  __syncthreads();
  float sum = 0.0F;
  for (int i = 0; i < count; ++i) sum += values[i];
  if (threadIdx.x == 0) out[0] = sum;
}

/// Exchanges of every kind: out(8, 32).
__global__ void exchanges(float* out) {
  const unsigned lane = threadIdx.x;
  const auto x = static_cast<float>(lane);
  constexpr unsigned kAll = 0xffffffffU;
  out[lane] = __shfl_sync(kAll, x, 3, 8);
  out[32 + lane] = __shfl_up_sync(kAll, x, 2);
  out[64 + lane] = __shfl_down_sync(kAll, x, 5);
  out[96 + lane] = __shfl_xor_sync(kAll, x, 16);
  out[128 + lane] = static_cast<float>(__ballot_sync(kAll, lane < 3));
  out[160 + lane] = static_cast<float>(__any_sync(kAll, lane == 9));
  out[192 + lane] = static_cast<float>(__all_sync(kAll, lane == 9));
  out[224 + lane] = lane < 16 ? __shfl_xor_sync(0xffffU, x, 1) : -1.0F;
}

/// out(4 threads of each warp..) = 16 bytes copied asynchronously by the same thread; kWait false:
/// read before they have arrived.
template <bool kWait>
__global__ void copied_later(const float* in, float* out) {
  __shared__ float4 pieces[64];
  pieces[threadIdx.x] = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
  ptx::copy_later(&pieces[threadIdx.x], in + std::size_t{4} * (threadIdx.x % 16), false);
  ptx::close_copies();
  if (kWait) ptx::wait_copies<0>();
  out[threadIdx.x] = pieces[threadIdx.x].y;
}

/// out(16, 8) = a(16, 16) b(8, 16)^T of bfloat16 integers, a[r][c] = r + c, b[r][c] = r - c; the
/// rows of b are shifted by kShift elements.
template <int kShift>
__global__ void matrix_product(float* out) {
  __shared__ __align__(16) BFloat16 a[16 * 16];
  __shared__ __align__(16) BFloat16 b[16 * 16 + 8];
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 256; i += 32) {
    a[i] = to_bfloat16(static_cast<float>(i / 16 + i % 16));
    b[i + kShift] = to_bfloat16(i / 16 < 8 ? static_cast<float>(i / 16 - i % 16) : 0.0F);
  }
  __syncwarp();
  std::uint32_t left[4];
  std::uint32_t right[4];
  ptx::load_blocks(left, a + lane % 16 * 16 + lane / 16 * 8);
  ptx::load_blocks(right, b + kShift + (lane % 8 + lane / 16 * 8) * 16 + lane / 8 % 2 * 8);
  float c[4] = {};
  ptx::mma(c, left, right[0], right[1]);
  for (int i = 0; i < 4; ++i) out[(lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = c[i];
}

/// One lane of the warp skips the product.
__global__ void product_of_31(float* out) {
  float c[4] = {};
  const std::uint32_t a[4] = {};
  if (threadIdx.x != 5) ptx::mma(c, a, 0, 0);
  out[threadIdx.x] = c[0];
}

cudaLaunchConfig_t shape(dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  return config;
}

}  // namespace

cudaError_t launch_row_sum(const float* in, float* out, int rows, int n, bool barrier,
                           cudaStream_t stream) {
  const auto c = shape(static_cast<unsigned>(rows), kThreads, 0, stream);
  return cudaLaunchKernelEx(&c, barrier ? row_sum<true> : row_sum<false>, in, out, n);
}

cudaError_t launch_transpose(const float* in, float* out, unsigned n, bool barrier) {
  const auto c = shape(1, {n, n}, 0, nullptr);
  return cudaLaunchKernelEx(&c, barrier ? transpose<true> : transpose<false>, in, out);
}

cudaError_t launch_two_rounds(float* out, bool barrier) {
  const auto c = shape(1, 64, 0, nullptr);
  return cudaLaunchKernelEx(&c, barrier ? two_rounds<true> : two_rounds<false>, out);
}

cudaError_t launch_copy(const float* in, float* out, int n, int shift, cudaStream_t stream) {
  const auto c = shape(static_cast<unsigned>((n + 63) / 64), 64, 0, stream);
  return cudaLaunchKernelEx(&c, copy, in, out, n, shift);
}

cudaError_t launch_copy4(const float* in, float* out, int shift) {
  const auto c = shape(1, 4, 0, nullptr);
  return cudaLaunchKernelEx(&c, copy4, in, out, shift);
}

cudaError_t launch_copied_later(const float* in, float* out, bool wait) {
  const auto c = shape(1, 64, 0, nullptr);
  return cudaLaunchKernelEx(&c, wait ? copied_later<true> : copied_later<false>, in, out);
}

cudaError_t launch_matrix_product(float* out, bool aligned) {
  const auto c = shape(1, 32, 0, nullptr);
  return cudaLaunchKernelEx(&c, aligned ? matrix_product<0> : matrix_product<1>, out);
}

cudaError_t launch_planted(Planted kernel, float* out, int argument) {
  switch (kernel) {
    case Planted::kRace: {
      const auto c = shape(3, 1, 0, nullptr);
      return cudaLaunchKernelEx(&c, race, out);
    }
    case Planted::kSharedIndex: {
      const auto c = shape(1, 64, 0, nullptr);
      return cudaLaunchKernelEx(&c, shared_index, out, argument);
    }
    case Planted::kDynamicSum: {
      const auto c = shape(1, 64, 64 * sizeof(float), nullptr);
      return cudaLaunchKernelEx(&c, dynamic_sum, out, argument);
    }
    case Planted::kProductOf31: {
      const auto c = shape(1, 32, 0, nullptr);
      return cudaLaunchKernelEx(&c, product_of_31, out);
    }
    case Planted::kExchanges: {
      const auto c = shape(1, 32, 0, nullptr);
      return cudaLaunchKernelEx(&c, exchanges, out);
    }
    default:
      break;
  }
  const auto c = shape(1, 64, 0, nullptr);
  switch (kernel) {
    case Planted::kEarlyExit:
      return cudaLaunchKernelEx(&c, early_exit, out);
    case Planted::kTwoBarriers:
      return cudaLaunchKernelEx(&c, two_barriers, out);
    case Planted::kMissingLane:
      return cudaLaunchKernelEx(&c, missing_lane, out);
    case Planted::kOutsideOwnMask:
      return cudaLaunchKernelEx(&c, outside_own_mask, out);
    default:
      return cudaLaunchKernelEx(&c, uninitialised_shared, out);
  }
}

cudaError_t launch_shaped(dim3 grid, dim3 block, std::size_t shared, float* out) {
  const auto c = shape(grid, block, shared, nullptr);
  return cudaLaunchKernelEx(&c, race, out);
}

}  // namespace cdt::test
