// Splits the kernels of rows.cuh into blocks, and chooses the variant for a tensor. All of it
// depends on shapes alone, and so does the order of sums.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "engine/cuda/launch.h"
#include "engine/tensor.h"

namespace cdt {

constexpr int kRowLanes = 16;      // lanes that own a row
constexpr int kWalkThreads = 192;  // threads per block of a walk: 3072 columns, or four times 768
constexpr int kMostBlocks = 1 << 15;
constexpr int kMostSums = 512;  // blocks that form partial sums

/// A walk down the rows: a block is `lanes` units of columns wide and `slots` rows high; the y axis
/// of the grid distributes the rows.
struct Walk {
  int rows, cols, units, lanes, slots;

  Walk(std::int64_t all_rows, std::int64_t width)
      : rows(static_cast<int>(all_rows)),
        cols(static_cast<int>(width)),
        units(static_cast<int>(4 * ceil_div(width, 64))),
        lanes(static_cast<int>(ceil_div(units, ceil_div(units, kWalkThreads / 2)))),
        slots(kWalkThreads / lanes) {}
  /// Returns a grid with as many blocks along y as give each thread `turns` rows, but at most
  /// `most`.
  dim3 grid(int turns, int most) const {
    const std::int64_t below = ceil_div(rows, std::int64_t{slots} * turns);
    return {blocks_for(units, lanes), static_cast<unsigned>(std::min<std::int64_t>(below, most))};
  }
};

/// True if pieces of these tensors, with rows of `cols` elements, can be moved with one access.
inline bool moves_whole(std::int64_t cols, std::initializer_list<Tensor> tensors) {
  return cols % 64 == 0 && std::all_of(tensors.begin(), tensors.end(), [](const Tensor& t) {
           const std::size_t piece = t.dtype == Dtype::kFloat32 ? 16 : 8;
           return reinterpret_cast<std::uintptr_t>(t.data) % piece == 0;
         });
}

/// Calls body(T{}, std::bool_constant<kWhole>{}) for tensors of the type of activations.
template <class Body>
void with_pieces(std::int64_t cols, std::initializer_list<Tensor> tensors, const Body& body) {
  with_type(tensors.begin()->dtype, [&](auto t) {
    if (moves_whole(cols, tensors)) {
      body(t, std::true_type{});
    } else {
      body(t, std::false_type{});
    }
  });
}

/// Calls body(T{}, std::integral_constant<int, kUnits>{}, std::bool_constant<kWhole>{}) for kernels
/// that spread a row over sixteen lanes: kUnits is 3 whole units per lane, the width of the model;
/// or up to 4; or 0 for any number.
template <class Body>
void with_row_units(std::int64_t cols, std::initializer_list<Tensor> tensors, const Body& body) {
  constexpr std::int64_t kUnitColumns = 16 * kRowLanes;
  with_pieces(cols, tensors, [&](auto t, auto whole) {
    if (whole && cols == 3 * kUnitColumns) {
      body(t, std::integral_constant<int, 3>{}, std::true_type{});
    } else if (cols <= 4 * kUnitColumns) {
      body(t, std::integral_constant<int, 4>{}, std::false_type{});
    } else {
      body(t, std::integral_constant<int, 0>{}, std::false_type{});
    }
  });
}

}  // namespace cdt
