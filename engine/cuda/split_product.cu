// Products of float32 matrices on tensor cores: with every number in three bfloat16 parts,
//   x y = x0 y0 + (x0 y1 + x1 y0) + (x0 y2 + x1 y1 + x2 y0) + less than 2^-23 of it.
// A tensor core cuts sums off where float32 rounds, so an accumulator that went through all of k
// would lose up to a unit in the last place at each step. Here it starts anew every 16 of k, the
// small products first, and float32 additions, which round to nearest, take the sum.
//
// A block of four warps owns a tile of C and each warp a quarter of it. Operands come into shared
// memory as they are, the next strips while the current ones are multiplied, and are split in
// registers.
#include <limits>
#include <type_traits>

#include "engine/cuda/launch.h"
#include "engine/cuda/split_product.cuh"
#include "engine/cuda/split_product.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr int kSlicesThreads = 256;

struct SplitProduct {
  SplitOperand a, b;
  int k, slices, depth;  // depth: of a slice
  float alpha, beta;
  const float* bias;
  float* c;
  std::int64_t ldc, problem;  // elements from one row and problem of C to the next
};

/// What a warp owns: half the tile's rows and columns, as fragments.
template <int kTile>
struct WarpTile {
  static constexpr int kHalf = kTile / 2;
  float sum[kHalf / 16][kHalf / 8][4] = {};

  /// sum += the product of rows [row, ..) of a and [column, ..) of b, over kSplitDepth of k
  template <bool kADeep, bool kBDeep>
  __device__ __forceinline__ void add_product(const Strip<kTile, kADeep>& a, int row,
                                              const Strip<kTile, kBDeep>& b, int column) {
    const int g = static_cast<int>(threadIdx.x) % 32 / 4;
    const int t = static_cast<int>(threadIdx.x) % 4;
#pragma unroll 1
    for (int k = 0; k < kSplitDepth; k += 16) {  // two at once would not fit into registers
      std::uint32_t parts[3], a_parts[kHalf / 16][3][4], b_parts[3][2];
#pragma unroll
      for (int m = 0; m < kHalf / 16; ++m) {
        if (m % 2 == 0) __syncwarp();  // or the compiler loads all rows first, past its registers
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          a.split(row + 16 * m + g + 8 * (i % 2), k + 2 * t + 8 * (i / 2), parts);
          for (int part = 0; part < 3; ++part) a_parts[m][part][i] = parts[part];
        }
      }
#pragma unroll
      for (int n = 0; n < kHalf / 8; ++n) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          b.split(column + 8 * n + g, k + 2 * t + 8 * i, parts);
          for (int part = 0; part < 3; ++part) b_parts[part][i] = parts[part];
        }
        add_parts(a_parts, b_parts, n);
      }
    }
  }

 private:
  __device__ __forceinline__ void add_parts(const std::uint32_t (&a)[kHalf / 16][3][4],
                                            const std::uint32_t (&b)[3][2], int n) {
    constexpr int kTogether = 2;
#pragma unroll
    for (int first = 0; first < kHalf / 16; first += kTogether) {
      float c[kTogether][4] = {};
#pragma unroll
      for (int order = 2; order >= 0; --order) {  // 2^(-8 order) of the whole
#pragma unroll
        for (int i = order; i >= 0; --i) {
#pragma unroll
          for (int m = 0; m < kTogether; ++m) {
            ptx::mma(c[m], a[first + m][i], b[order - i][0], b[order - i][1]);
          }
        }
      }
#pragma unroll
      for (int m = 0; m < kTogether; ++m) {
#pragma unroll
        for (int e = 0; e < 4; ++e) sum[first + m][n][e] += c[m][e];
      }
    }
  }
};

/// body(m, half, row) for each row of a warp tile that this thread has a part of.
template <int kTile, class Body>
__device__ __forceinline__ void for_rows(int row, int rows, const Body& body) {
  const int g = static_cast<int>(threadIdx.x) % 32 / 4;
#pragma unroll
  for (int m = 0; m < kTile / 32; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int r = row + 16 * m + 8 * half + g;
      if (r < rows) body(m, half, r);
    }
  }
}

/// body(fragment, element, column) for this thread's columns of a row.
template <int kTile, class Body>
__device__ __forceinline__ void for_columns(int column, int columns, const Body& body) {
  const int left = columns - column - static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
  for (int n = 0; n < kTile / 16; ++n) {
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      if (8 * n + e < left) body(n, e, columns - left + 8 * n + e);
    }
  }
}

/// C's tile at (row, column), first element of C's problem at c.
template <int kTile>
__device__ __forceinline__ void finish(const SplitProduct& p, const WarpTile<kTile>& tile, float* c,
                                       int row, int column) {
  float bias[kTile / 16][2] = {};
  if (p.bias != nullptr) {
    for_columns<kTile>(column, p.b.rows, [&](int n, int e, int at) { bias[n][e] = p.bias[at]; });
  }
  for_rows<kTile>(row, p.a.rows, [&](int m, int half, int r) {
    float* const line = c + r * p.ldc;
    for_columns<kTile>(column, p.b.rows, [&](int n, int e, int at) {
      float value = p.alpha * tile.sum[m][n][2 * half + e] + bias[n][e];
      if (p.beta != 0.0F) value += p.beta * line[at];
      line[at] = value;
    });
  });
}

/// slices: (problem, slice, m, n), or null where there is one slice.
template <int kTile, bool kADeep, bool kBDeep>
__global__ void __launch_bounds__(kSplitThreads, kTile == 128 ? 2 : 3)
    split_product_kernel(SplitProduct p, float* slices) {
  using A = Strip<kTile, kADeep>;
  using B = Strip<kTile, kBDeep>;
  CDT_DYNAMIC_SHARED(float, shared);
  const int problem = static_cast<int>(blockIdx.z) / p.slices;
  const int slice = static_cast<int>(blockIdx.z) % p.slices;
  const int first_row = static_cast<int>(blockIdx.y) * kTile;
  const int first_column = static_cast<int>(blockIdx.x) * kTile;
  const int begin = slice * p.depth;
  const int end = min(begin + p.depth, p.k);
  const float* const a = p.a.data + problem * p.a.problem;
  const float* const b = p.b.data + problem * p.b.problem;
  const auto strip_of_a = [&](int stage) { return A{shared + stage * (A::kFloats + B::kFloats)}; };
  const auto strip_of_b = [&](int stage) { return B{strip_of_a(stage).base + A::kFloats}; };
  const auto load_later = [&](int stage, int k) {
    strip_of_a(stage).load_later(p.a, a, first_row, k, end);
    strip_of_b(stage).load_later(p.b, b, first_column, k, end);
  };
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int row = warp / 2 * (kTile / 2);
  const int column = warp % 2 * (kTile / 2);
  WarpTile<kTile> tile;
  load_later(0, begin);
  ptx::close_copies();
  int stage = 0;
  for (int k = begin; k < end; k += kSplitDepth) {
    if (k + kSplitDepth < end) load_later(1 - stage, k + kSplitDepth);
    ptx::close_copies();
    ptx::wait_copies<1>();
    __syncthreads();
    if (first_row + row < p.a.rows && first_column + column < p.b.rows) {
      tile.add_product(strip_of_a(stage), row, strip_of_b(stage), column);
    }
    __syncthreads();
    stage = 1 - stage;
  }
  if (slices == nullptr) {
    finish(p, tile, p.c + problem * p.problem, first_row + row, first_column + column);
    return;
  }
  float* const sums = slices + std::int64_t{blockIdx.z} * p.a.rows * p.b.rows;
  for_rows<kTile>(first_row + row, p.a.rows, [&](int m, int half, int r) {
    float* const line = sums + std::int64_t{r} * p.b.rows;
    for_columns<kTile>(first_column + column, p.b.rows,
                       [&](int n, int e, int at) { line[at] = tile.sum[m][n][2 * half + e]; });
  });
}

/// C of a problem from the sums of its slices, added in their order.
__global__ void add_slices_kernel(SplitProduct p, const float* slices, int elements) {
  const int at = static_cast<int>(blockIdx.x) * kSlicesThreads + static_cast<int>(threadIdx.x);
  if (at >= elements) return;
  const float* const first = slices + std::int64_t{blockIdx.y} * p.slices * elements + at;
  float sum = 0.0F;
  for (int s = 0; s < p.slices; ++s) sum += first[std::int64_t{s} * elements];
  const int column = at % p.b.rows;
  float* const c = p.c + blockIdx.y * p.problem + at / p.b.rows * p.ldc + column;
  float value = p.alpha * sum;
  if (p.bias != nullptr) value += p.bias[column];
  if (p.beta != 0.0F) value += p.beta * *c;
  *c = value;
}

int to_int(std::int64_t x) {
  CDT_CHECK(x <= std::numeric_limits<int>::max(), "a product with more than 2^31 of a kind");
  return static_cast<int>(x);
}

/// Do all lines of an operand begin at multiples of 16 bytes?
bool is_aligned(const Operand& x, std::int64_t ld, std::int64_t problem) {
  return (reinterpret_cast<std::uintptr_t>(x.data) | static_cast<std::uintptr_t>(ld * 4) |
          static_cast<std::uintptr_t>(problem * 4)) %
             16 ==
         0;
}

/// body(the kernel for this tile and these operands, its bytes of shared memory)
template <int kTile, class Body>
void with_kernel(bool a_deep, bool b_deep, const Body& body) {
  const auto choose = [&](auto a, auto b) {
    using A = Strip<kTile, decltype(a)::value>;
    using B = Strip<kTile, decltype(b)::value>;
    body(split_product_kernel<kTile, decltype(a)::value, decltype(b)::value>,
         2 * (A::kFloats + B::kFloats) * sizeof(float));
  };
  using Yes = std::true_type;
  using No = std::false_type;
  if (a_deep) {
    b_deep ? choose(Yes{}, Yes{}) : choose(Yes{}, No{});
  } else {
    b_deep ? choose(No{}, Yes{}) : choose(No{}, No{});
  }
}

}  // namespace

bool can_split(const Gemm& g) {
  return is_aligned(g.a, g.lda, g.stride_a) && is_aligned(g.b, g.ldb, g.stride_b);
}

void split_product(cudaStream_t stream, const Gemm& g, const ProductCut& cut, float* slices) {
  const bool a_deep = !g.trans_a;
  const bool b_deep = g.trans_b;
  const SplitProduct p{.a = {g.a.floats(), g.stride_a, to_int(g.lda), to_int(g.m)},
                       .b = {g.b.floats(), g.stride_b, to_int(g.ldb), to_int(g.n)},
                       .k = to_int(g.k),
                       .slices = cut.slices,
                       .depth = to_int(cut.depth),
                       .alpha = g.alpha,
                       .beta = g.beta,
                       .bias = g.bias.floats(),
                       .c = g.c.floats(),
                       .ldc = g.ldc,
                       .problem = g.stride_c};
  const dim3 blocks(blocks_for(g.n, cut.tile), blocks_for(g.m, cut.tile),
                    static_cast<unsigned>(g.batch * cut.slices));
  const auto start = [&](auto kernel, std::size_t shared) {
    launch_shared(stream, kernel, blocks, kSplitThreads, shared, p,
                  cut.slices > 1 ? slices : nullptr);
  };
  if (cut.tile == 128) {
    with_kernel<128>(a_deep, b_deep, start);
  } else {
    with_kernel<64>(a_deep, b_deep, start);
  }
  if (cut.slices == 1) return;
  const std::int64_t elements = g.m * g.n;
  launch(stream, add_slices_kernel,
         dim3(blocks_for(elements, kSlicesThreads), static_cast<unsigned>(g.batch)), kSlicesThreads,
         p, slices, to_int(elements));
}

}  // namespace cdt
