// Products of float32 matrices on tensor cores, every number split into three parts
// (float_parts.cuh).
//
// A block of four warps owns a tile of C, each warp a quarter of it. For every 16 of k (a strip)
// the operands are copied into shared memory unchanged, split into planes of parts once per block,
// and multiplied. This is pipelined: while one strip is multiplied, the warps split the next and
// the one after that is being copied.
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
  int k, slices, depth;  // depth: elements of k per slice
  float alpha, beta;
  const float* bias;
  float* c;
  std::int64_t ldc, problem;  // elements between rows and between problems of C
};

/// A warp's quarter of the tile: half its rows and half its columns, as fragments.
template <int kTile>
struct WarpTile {
  static constexpr int kRows = kTile / 2 / 16;
  static constexpr int kColumns = kTile / 2 / 8;
  static constexpr int kTogether = 4 / kRows;  // column fragments at a time: four sums in flight
  static constexpr int kSteps = kColumns / kTogether;
  float sum[kColumns][kRows][4] = {};

  /// sum += the product of the warp's rows of a and b over a strip; beside(step) is interleaved
  /// with each of the kSteps steps.
  template <class A, class B, class Beside>
  __device__ __forceinline__ void add_product(const A& a, const B& b, const Beside& beside) {
    FloatFragmentA a_parts[kRows], pair;
    FloatFragmentB b_parts[kTogether];
#pragma unroll
    for (int m = 0; m < kRows; ++m) a.load(a_parts[m], 16 * m);
#pragma unroll
    for (int n = 0; n < kColumns; n += kTogether) {
      if (n % 2 == 0) b.load(pair, 8 * n);
      beside(n / kTogether);
#pragma unroll
      for (int part = 0; part < kFloatParts; ++part) {
#pragma unroll
        for (int i = 0; i < 2 * kTogether; ++i) {
          b_parts[i / 2].part[part][i % 2] = pair.part[part][n % 2 * 2 + i];
        }
      }
      add_float_products(
          [&](int m, int i) -> auto& { return sum[n + i][m]; }, a_parts, b_parts);
    }
  }
};

/// Calls body(m, half, row) for each row of a warp tile in which this thread holds elements.
template <int kTile, class Body>
__device__ __forceinline__ void for_rows(int row, int rows, const Body& body) {
  const int g = static_cast<int>(threadIdx.x % 32 / 4);
#pragma unroll
  for (int m = 0; m < kTile / 32; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int r = row + 16 * m + 8 * half + g;
      if (r < rows) body(m, half, r);
    }
  }
}

/// Calls body(fragment, element, column) for this thread's columns of a row.
template <int kTile, class Body>
__device__ __forceinline__ void for_columns(int column, int columns, const Body& body) {
  const int left = columns - column - static_cast<int>(threadIdx.x % 4 * 2);
#pragma unroll
  for (int n = 0; n < kTile / 16; ++n) {
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      if (8 * n + e < left) body(n, e, columns - left + 8 * n + e);
    }
  }
}

/// Writes the tile of C at (row, column); c is the first element of the problem's C.
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
      float value = p.alpha * tile.sum[n][m][2 * half + e] + bias[n][e];
      if (p.beta != 0.0F) value += p.beta * line[at];
      line[at] = value;
    });
  });
}

/// A block's shared memory: two stages, each with a strip as copied, then the same strip in planes.
template <class A, class B>
struct SplitStages {
  static constexpr int kFloats = A::kFloats + B::kFloats;
  static constexpr int kElements = 2 * kFloats + A::kElements + B::kElements;
  static constexpr std::size_t kBytes = 2 * kElements * sizeof(BFloat16);
  float* base;

  __device__ __forceinline__ BFloat16* of_a(int stage) const {
    return reinterpret_cast<BFloat16*>(base + kFloats) + stage * kElements;
  }
  __device__ __forceinline__ BFloat16* of_b(int stage) const { return of_a(stage) + A::kElements; }
};

/// slices: (problem, slice, m, n), or null if there is one slice.
template <int kTile, bool kADeep, bool kBDeep>
__global__ void __launch_bounds__(kSplitThreads, kTile == 128 ? 2 : 4)
    split_product_kernel(SplitProduct p, float* slices) {
  using A = Strips<kTile, kADeep, true>;
  using B = Strips<kTile, kBDeep, false>;
  using Shared = SplitStages<A, B>;
  constexpr int kPieces = A::kPieces + B::kPieces;
  constexpr int kPiecesOfStep = kPieces / WarpTile<kTile>::kSteps;
  CDT_DYNAMIC_SHARED(float, shared);
  const Shared stages{shared};
  const int problem = static_cast<int>(blockIdx.z) / p.slices;
  const int slice = static_cast<int>(blockIdx.z) % p.slices;
  const int first_row = static_cast<int>(blockIdx.y) * kTile;
  const int first_column = static_cast<int>(blockIdx.x) * kTile;
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int row = warp / 2 * (kTile / 2);
  const int column = warp % 2 * (kTile / 2);
  const int begin = slice * p.depth;
  int left = min(p.depth, p.k - begin);
  A a(p.a, problem, first_row, begin, stages.of_a(0), stages.of_a(1), row);
  B b(p.b, problem, first_column, begin, stages.of_b(0), stages.of_b(1), column);
  const auto load_later = [&](float* raw, int of_k) {
    a.load_later(raw, of_k);
    b.load_later(raw + A::kFloats, of_k);
    ptx::close_copies();
  };
  const auto split = [&](float* raw, int i) {
    if (i < A::kPieces) {
      a.split(raw, i);
    } else {
      b.split(raw + A::kFloats, i - A::kPieces);
    }
  };
  WarpTile<kTile> tile;
  float* raw = shared;
  int step = Shared::kElements / 2;  // distance to the other stage, in floats
  load_later(raw, left);
  load_later(raw + step, left - kSplitDepth);
  ptx::wait_copies<1>();
#pragma unroll
  for (int i = 0; i < kPieces; ++i) split(raw, i);
  __syncthreads();
#pragma unroll 1
  for (; left > 0; left -= kSplitDepth) {
    load_later(raw, left - 2 * kSplitDepth);
    ptx::wait_copies<1>();
    a.turn(2 * step);
    b.turn(2 * step);
    raw += step;
    step = -step;
    tile.add_product(a, b, [&](int part) {
#pragma unroll
      for (int i = 0; i < kPiecesOfStep; ++i) split(raw, part * kPiecesOfStep + i);
    });
    __syncthreads();
  }
  ptx::wait_copies<0>();  // for strips past the end
  if (slices == nullptr) {
    finish(p, tile, p.c + blockIdx.z * p.problem, first_row + row, first_column + column);
    return;
  }
  float* const sums = slices + std::int64_t{blockIdx.z} * p.a.rows * p.b.rows;
  for_rows<kTile>(first_row + row, p.a.rows, [&](int m, int half, int r) {
    float* const line = sums + std::int64_t{r} * p.b.rows;
    for_columns<kTile>(first_column + column, p.b.rows,
                       [&](int n, int e, int at) { line[at] = tile.sum[n][m][2 * half + e]; });
  });
}

/// Computes a problem's C from the sums of its slices, added in order.
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

constexpr std::int64_t kMostInt = std::numeric_limits<int>::max();
constexpr const char* kTooLarge = "a product with more than 2^31 of a kind";

int to_int(std::int64_t x) {
  CDT_CHECK(x <= kMostInt, kTooLarge);
  return static_cast<int>(x);
}

/// True if all lines of an operand are 16-byte aligned.
bool is_aligned(const Operand& x, std::int64_t ld, std::int64_t problem) {
  return (reinterpret_cast<std::uintptr_t>(x.data) | static_cast<std::uintptr_t>(ld * 4) |
          static_cast<std::uintptr_t>(problem * 4)) %
             16 ==
         0;
}

/// Calls body(kernel, shared memory bytes) with the kernel for this tile and these operands.
template <int kTile, class Body>
void with_kernel(bool a_deep, bool b_deep, const Body& body) {
  const auto choose = [&](auto a, auto b) {
    using A = Strips<kTile, decltype(a)::value, true>;
    using B = Strips<kTile, decltype(b)::value, false>;
    body(split_product_kernel<kTile, decltype(a)::value, decltype(b)::value>,
         SplitStages<A, B>::kBytes);
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
  const auto operand = [&](const Operand& x, std::int64_t ld, std::int64_t problem,
                           std::int64_t rows, bool deep) {
    CDT_CHECK(((g.batch - 1) * problem + (deep ? rows : g.k) * ld) / 4 <= kMostInt, kTooLarge);
    return SplitOperand{.data = x.floats(),
                        .rows = to_int(rows),
                        .line = to_int(ld / 4),
                        .step = to_int(ld / 4 * split_step(cut.tile, deep)),
                        .problem = to_int(problem / 4)};
  };
  const SplitProduct p{.a = operand(g.a, g.lda, g.stride_a, g.m, a_deep),
                       .b = operand(g.b, g.ldb, g.stride_b, g.n, b_deep),
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
