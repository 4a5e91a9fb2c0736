// Shared parts of kernels over rows. A row is split into units of sixteen elements: unit u holds
// the columns first + 16 j + i, first = 64 (u / 4) + 4 (u % 4), i, j < 4. These are four pieces of
// four adjacent elements and also two adjacent octets of the dropout mask, 2 u + i / 2
// (kernel.cuh). So a thread that owns units moves whole pieces and draws every mask word once.
//
// There are two ways to distribute units. For sums over a row, sixteen lanes own a row (RowUnits).
// For sums over columns, or no sums, a thread owns one unit of columns and walks down the rows
// (Walk).
//
// kWhole: rows are multiples of 64 columns and pieces are aligned to their size; otherwise elements
// are moved one by one, skipping those past the row's end.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "engine/cuda/kernel.cuh"
#include "engine/cuda/ptx.cuh"
#include "engine/cuda/row_grids.h"

namespace cdt {

/// The values of a unit: at[j][i] is column first + 16 j + i.
struct Unit {
  float at[4][4];
};

__device__ __forceinline__ int first_column(int unit) { return 64 * (unit / 4) + 4 * (unit % 4); }

/// The storage type of four adjacent elements.
template <class T>
struct PieceOf;
template <>
struct PieceOf<float> {
  using Type = float4;
};
template <>
struct PieceOf<BFloat16> {
  using Type = uint2;
};
template <class T>
using Piece = typename PieceOf<T>::Type;

__device__ __forceinline__ void unpack(float4 piece, float (&x)[4]) {
  x[0] = piece.x;
  x[1] = piece.y;
  x[2] = piece.z;
  x[3] = piece.w;
}
__device__ __forceinline__ void unpack(uint2 piece, float (&x)[4]) {
  x[0] = __uint_as_float(piece.x << 16U);
  x[1] = __uint_as_float(piece.x & 0xFFFF0000U);
  x[2] = __uint_as_float(piece.y << 16U);
  x[3] = __uint_as_float(piece.y & 0xFFFF0000U);
}
__device__ __forceinline__ float4 packed(const float (&x)[4], float /*type*/) {
  return make_float4(x[0], x[1], x[2], x[3]);
}
__device__ __forceinline__ uint2 packed(const float (&x)[4], BFloat16 /*type*/) {
  return make_uint2(ptx::pack(x[0], x[1]), ptx::pack(x[2], x[3]));
}

/// Loads the piece of a row that starts at column c; elements past the row's end are 0.
template <bool kWhole, class T>
__device__ __forceinline__ Piece<T> load_piece(const T* row, int c, int cols) {
  if constexpr (kWhole) {
    return *reinterpret_cast<const Piece<T>*>(row + c);
  } else {
    float x[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) x[i] = c + i < cols ? load(row, c + i) : 0.0F;
    return packed(x, T{});
  }
}
template <bool kWhole, class T>
__device__ __forceinline__ void store_piece(T* row, int c, int cols, Piece<T> piece) {
  if constexpr (kWhole) {
    *reinterpret_cast<Piece<T>*>(row + c) = piece;
  } else {
    float x[4];
    unpack(piece, x);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (c + i < cols) store(row, c + i, x[i]);
    }
  }
}

template <bool kWhole, class T>
__device__ __forceinline__ Unit load_unit(const T* row, int unit, int cols) {
  Unit x;
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    unpack(load_piece<kWhole>(row, first_column(unit) + 16 * j, cols), x.at[j]);
  }
  return x;
}
template <bool kWhole, class T>
__device__ __forceinline__ void store_unit(T* row, int unit, int cols, const Unit& x) {
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    store_piece<kWhole>(row, first_column(unit) + 16 * j, cols, packed(x.at[j], T{}));
  }
}

/// Calls body(j, i) for the sixteen elements of a unit.
template <class Body>
__device__ __forceinline__ void for_unit(const Body& body) {
#pragma unroll
  for (int j = 0; j < 4; ++j) {
#pragma unroll
    for (int i = 0; i < 4; ++i) body(j, i);
  }
}

/// Returns the multipliers of a unit in row `row` of this process's part of the mask.
__device__ __forceinline__ Unit mask_unit(const Mask& mask, std::uint32_t row, int unit) {
  Unit factor;
  if (mask.threshold == 0) {
    for_unit([&](int j, int i) { factor.at[j][i] = mask.scale; });
    return factor;
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const Octet of =
        mask_octet(mask, mask.first_row + row, static_cast<std::uint32_t>(2 * unit + half));
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      factor.at[j][2 * half] = of.at[j][0];
      factor.at[j][2 * half + 1] = of.at[j][1];
    }
  }
  return factor;
}

/// A thread's position in a walk.
struct Walker {
  int unit, row, step;

  /// Starts past the last row if the thread owns no unit.
  __device__ __forceinline__ explicit Walker(const Walk& walk)
      : unit(static_cast<int>(blockIdx.x) * walk.lanes +
             static_cast<int>(threadIdx.x) % walk.lanes),
        row(static_cast<int>(blockIdx.y) * walk.slots + static_cast<int>(threadIdx.x) / walk.lanes),
        step(static_cast<int>(gridDim.y) * walk.slots) {
    const bool owns = static_cast<int>(threadIdx.x) < walk.lanes * walk.slots;
    if (!owns || unit >= walk.units) row = walk.rows;
  }
};

/// Calls body(row, unit) for every row of this thread.
template <class Body>
__device__ __forceinline__ void walk_rows(const Walk& walk, const Body& body) {
  const Walker at(walk);
  for (int row = at.row; row < walk.rows; row += at.step) body(row, at.unit);
}

/// Returns the sum over the sixteen lanes of a row to each of them; all lanes of the warp must call
/// it.
__device__ __forceinline__ float sum_over_row(float value) {
#pragma unroll
  for (int lanes = kRowLanes / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(0xFFFFFFFFU, value, lanes);
  }
  return value;
}

/// A lane's units of one row: unit = lane + 16 k. kUnits > 0: that many are held in registers and
/// the row is read once; 0: a row of any width, read again in each pass.
template <class T, int kUnits, bool kWhole>
class RowUnits {
 public:
  __device__ __forceinline__ RowUnits(const T* row, int cols) : row_(row), cols_(cols) {
#pragma unroll
    for (int k = 0; k < kUnits; ++k) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        held_[k][j] = load_piece<kWhole>(row, first_column(lane() + kRowLanes * k) + 16 * j, cols);
      }
    }
  }

  static __device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x) % kRowLanes; }
  /// Calls body(k, unit) for the units of this lane; for a row in registers, also for those past
  /// its end.
  template <class Body>
  static __device__ __forceinline__ void for_units(int cols, const Body& body) {
    if constexpr (kUnits > 0) {
#pragma unroll
      for (int k = 0; k < kUnits; ++k) body(k, lane() + kRowLanes * k);
    } else {
      for (int u = lane(); u < 4 * ((cols + 63) / 64); u += kRowLanes) body(0, u);
    }
  }
  /// Gets piece j of unit k.
  __device__ __forceinline__ void get(int k, int unit, int j, float (&x)[4]) const {
    if constexpr (kUnits > 0) {
      unpack(held_[k][j], x);
    } else {
      unpack(load_piece<kWhole>(row_, first_column(unit) + 16 * j, cols_), x);
    }
  }
  /// Replaces piece j of unit k, in registers only.
  __device__ __forceinline__ void hold(int k, int j, Piece<T> piece) {
    if constexpr (kUnits > 0) held_[k][j] = piece;
  }

 private:
  const T* row_;
  int cols_;
  Piece<T> held_[kUnits > 0 ? kUnits : 1][4];
};

/// Calls body(column, values) for the four pieces of unit k.
template <class Row, class Body>
__device__ __forceinline__ void for_pieces(const Row& row, int k, int unit, const Body& body) {
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    float x[4];
    row.get(k, unit, j, x);
    body(first_column(unit) + 16 * j, x);
  }
}
/// Calls body(column, j, values, values) for the four pieces of unit k of two rows.
template <class Row, class Body>
__device__ __forceinline__ void for_pieces(const Row& one, const Row& other, int k, int unit,
                                           const Body& body) {
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    float x[4], y[4];
    one.get(k, unit, j, x);
    other.get(k, unit, j, y);
    body(first_column(unit) + 16 * j, j, x, y);
  }
}

/// Writes a piece of a gradient, or adds it to what is there.
template <bool kWhole, class T>
__device__ __forceinline__ void put_gradient(T* row, int c, int cols, const float (&x)[4],
                                             bool add) {
  float sum[4] = {x[0], x[1], x[2], x[3]};
  if (add) {
    float before[4];
    unpack(load_piece<kWhole>(row, c, cols), before);
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[i] += before[i];
  }
  store_piece<kWhole>(row, c, cols, packed(sum, T{}));
}

}  // namespace cdt
