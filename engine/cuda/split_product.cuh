// The parts of the kernel of split_product.cu: numbers as three bfloat16, and strips of a matrix
// in shared memory.
#pragma once

#include "engine/cuda/ptx.cuh"

namespace cdt {

constexpr int kSplitThreads = 128;
constexpr int kSplitDepth = 32;  // of k in shared memory at a time

/// One operand as a matrix of `rows` rows: op(A), or op(B) transposed. Either k or its rows are
/// contiguous; what is contiguous is a line, lines are `line` elements apart and begin at multiples
/// of 16 bytes.
struct SplitOperand {
  const float* data;
  std::int64_t problem;  // elements from one problem of a batch to the next
  int line, rows;
};

/// x and y as fragments hold them, in three parts: x = x0 + x1 + x2, each part what bfloat16 leaves
/// of the one before, rounded to nearest. The sum is exact (but for numbers below 2^-110).
__device__ __forceinline__ void split_pair(float x, float y, std::uint32_t (&parts)[3]) {
#pragma unroll
  for (std::uint32_t& part : parts) {
    part = ptx::pack(x, y);
    x -= __uint_as_float(part << 16U);
    y -= __uint_as_float(part & 0xFFFF0000U);
  }
}

/// kRows rows of an operand, kSplitDepth of k, in shared memory. kDeep: k is contiguous, there as
/// here. A row is so long that a warp's fragments lie in different banks.
template <int kRows, bool kDeep>
struct Strip {
  static constexpr int kLines = kDeep ? kRows : kSplitDepth;
  static constexpr int kLength = kDeep ? kSplitDepth : kRows;
  static constexpr int kStride = kLength + (kDeep ? 8 : 4);
  static constexpr int kFloats = kLines * kStride;
  float* base;

  /// Starts to load rows from `row` on, k from `k` to `end`; what lies outside becomes 0.
  __device__ __forceinline__ void load_later(const SplitOperand& x, const float* data, int row,
                                             int k, int end) const {
    constexpr int kPieces = kLength / 4;  // of a line
    constexpr int kStep = kSplitThreads / kPieces;
    const int first = static_cast<int>(threadIdx.x) / kPieces;
    const int at = static_cast<int>(threadIdx.x) % kPieces * 4;
    const int lines = (kDeep ? x.rows - row : end - k) - first;
    const int length = (kDeep ? end - k : x.rows - row) - at;
    const int bytes = max(0, min(length, 4)) * static_cast<int>(sizeof(float));
    const float* from =
        data + std::int64_t{(kDeep ? row : k) + first} * x.line + (kDeep ? k : row) + at;
    float* const to = base + first * kStride + at;
#pragma unroll 2  // more addresses would not fit into registers beside the sums
    for (int i = 0; i < kLines; i += kStep) {
      ptx::copy_part_later(to + i * kStride, from, i < lines ? bytes : 0);
      from += std::int64_t{kStep} * x.line;
    }
  }

  /// Of `row`, k and k + 1.
  __device__ __forceinline__ void split(int row, int k, std::uint32_t (&parts)[3]) const {
    if constexpr (kDeep) {
      const float2 pair = *reinterpret_cast<const float2*>(base + row * kStride + k);
      split_pair(pair.x, pair.y, parts);
    } else {
      split_pair(base[k * kStride + row], base[(k + 1) * kStride + row], parts);
    }
  }
};

}  // namespace cdt
