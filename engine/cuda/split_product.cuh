// Building blocks of the kernel in split_product.cu: strips of a matrix on their way from global
// memory to fragments. A strip is kSplitDepth of k.
#pragma once

#include "engine/bfloat16.h"
#include "engine/cuda/float_parts.cuh"

namespace cdt {

constexpr int kSplitThreads = 128;
constexpr int kSplitDepth = 16;  // the k of one mma

/// One operand as a matrix of `rows` rows: op(A), or op(B) transposed. Either k or the rows are
/// contiguous; a line is a contiguous run, 16-byte aligned. Distances are in pieces of four
/// elements, so that 32 bits suffice: with 64-bit pointers the sums would not fit into the
/// registers.
struct SplitOperand {
  const float* data;
  int rows;
  int line, step, problem;  // to the next line, the thread's next piece (split_step()) and problem
};

/// Lines between a thread's consecutive pieces, in a strip of `rows` rows.
constexpr int split_step(int rows, bool deep) {
  return kSplitThreads / ((deep ? kSplitDepth : rows) / 4);
}

/// A thread's work on the strips of kRows rows of an operand. It copies pieces of four numbers into
/// shared memory, where only it reads them, and splits them into bfloat16 planes, one per part; its
/// warp then reads fragments from all planes. kDeep: k is contiguous. kOfA: loads fragments a of 16
/// rows; otherwise fragments b of eight rows and of the next eight.
///
/// Bank conflicts are avoided: if k is contiguous, the two halves of a row are swapped in every
/// other group of four rows; otherwise the line stride is 16 bytes more than the line.
template <int kRows, bool kDeep, bool kOfA>
class Strips {
  static constexpr int kLine = kDeep ? kSplitDepth : kRows + 8;  // line stride of a plane
  static constexpr int kPlane = (kDeep ? kRows : kSplitDepth) * kLine;

 public:
  static constexpr int kFloats = kRows * kSplitDepth;
  static constexpr int kElements = kFloatParts * kPlane;       // in all planes of a strip
  static constexpr int kPieces = kFloats / 4 / kSplitThreads;  // pieces per thread and strip

  /// Starts at row `row` and at k `k`; elements outside the operand are 0. `first` and `next`: the
  /// planes of the first strip and of the next. The warp's rows begin at `warp_row`.
  __device__ __forceinline__ Strips(const SplitOperand& x, int problem, int row, int k,
                                    BFloat16* first, BFloat16* next, int warp_row)
      : x_(x),
        rows_(x.rows - row - (kDeep ? first_line() : column())),
        at_(static_cast<unsigned>(problem * x.problem) +
            static_cast<unsigned>((kDeep ? row : k) + first_line()) * x.line +
            static_cast<unsigned>((kDeep ? k : row) + column()) / 4),
        write_(first + place(first_line(), column())),
        read_(next + fragment() + warp_row * kRowStep) {}

  /// Starts to copy the next strip to `raw`; `left` of k remain, including this strip.
  __device__ __forceinline__ void load_later(float* raw, int left) {
    const int lines = kDeep ? rows_ : left - first_line();
    const int length = kDeep ? left - column() : rows_;
    const int bytes = max(0, min(length, 4)) * static_cast<int>(sizeof(float));
    unsigned at = at_;
#pragma unroll
    for (int i = 0; i < kPieces; ++i) {
      ptx::copy_part_later(piece(raw, i), x_.data + std::size_t{at} * 4,
                           i * kStep < lines ? bytes : 0);
      at += x_.step;
    }
    at_ = kDeep ? at_ + kSplitDepth / 4 : at;
  }

  /// Splits piece i of a strip that has arrived.
  __device__ __forceinline__ void split(float* raw, int i) const {
    float4 x = *reinterpret_cast<const float4*>(piece(raw, i));
#pragma unroll
    for (int part = 0; part < kFloatParts; ++part) {
      *reinterpret_cast<uint2*>(write_ + i * kStep * kLine + part * kPlane) = take_part(x);
    }
  }

  /// Swaps stages: reads what was just split, and writes `elements` further on.
  __device__ __forceinline__ void turn(int elements) {
    read_ -= elements;
    write_ += elements;
  }

  /// Loads the fragments of 16 of the warp's rows starting at `row`, one per part.
  __device__ __forceinline__ void load(FloatFragmentA& to, int row) const {
#pragma unroll
    for (int part = 0; part < kFloatParts; ++part) {
      const BFloat16* const from = read_ + row * kRowStep + part * kPlane;
      if constexpr (kDeep) {
        ptx::load_blocks(to.part[part], from);
      } else {
        ptx::load_blocks_transposed(to.part[part], from);
      }
    }
  }

 private:
  static constexpr int kRowStep = kDeep ? kLine : 1;
  static constexpr int kStep = split_step(kRows, kDeep);
  static constexpr int kPiecesOfLine = kSplitThreads / kStep;
  static_assert(kDeep ? kStep % 8 == 0 : kStep * kPieces == kSplitDepth);

  static __device__ __forceinline__ int first_line() {
    return static_cast<int>(threadIdx.x / kPiecesOfLine);
  }
  static __device__ __forceinline__ int column() {
    return static_cast<int>(threadIdx.x % kPiecesOfLine * 4);
  }
  static __device__ __forceinline__ float* piece(float* raw, int i) {
    return raw + 4 * threadIdx.x + 4 * kSplitThreads * i;
  }
  /// Offset in a plane of four adjacent elements of a line.
  static __device__ __forceinline__ int place(int line, int first) {
    return line * kLine + (kDeep ? first ^ line / 4 % 2 * 8 : first);
  }
  /// Offset in a plane at which this lane reads fragments of the first rows.
  static __device__ __forceinline__ int fragment() {
    const int block = static_cast<int>(threadIdx.x % 32 / 8);
    const int k = (kOfA ? block / 2 : block % 2) * 8;
    const int row = (kOfA ? block % 2 : block / 2) * 8;
    const int i = static_cast<int>(threadIdx.x % 8);
    return kDeep ? place(row + i, k) : place(k + i, row);
  }

  const SplitOperand& x_;
  int rows_;     // rows left at the thread's first piece
  unsigned at_;  // offset of the thread's first piece of the next strip
  BFloat16* write_;
  const BFloat16* read_;
};

}  // namespace cdt
