// How the kernels of rows.cuh are cut into blocks, and which of their forms takes a tensor. All of
// it follows from shapes alone, and with it the order of sums.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "engine/cuda/launch.h"
#include "engine/tensor.h"

namespace cdt {

constexpr int kRowLanes = 16;      // that own a row
constexpr int kWalkThreads = 192;  // of a block that walks: 3072 columns, or four times 768
constexpr int kMostBlocks = 1 << 15;
constexpr int kMostSums = 512;  // blocks that form partial sums

/// A walk down rows: a block has `lanes` units of columns beside each other and `slots` rows below
/// each other; the y axis of the grid deals rows out.
struct Walk {
  int rows, cols, units, lanes, slots;

  Walk(std::int64_t all_rows, std::int64_t width)
      : rows(static_cast<int>(all_rows)),
        cols(static_cast<int>(width)),
        units(static_cast<int>(4 * ceil_div(width, 64))),
        lanes(static_cast<int>(ceil_div(units, ceil_div(units, kWalkThreads / 2)))),
        slots(kWalkThreads / lanes) {}
  /// At most `most` blocks below each other, and as many as leave a thread `turns` rows.
  dim3 grid(int turns, int most) const {
    const std::int64_t below = ceil_div(rows, std::int64_t{slots} * turns);
    return {blocks_for(units, lanes), static_cast<unsigned>(std::min<std::int64_t>(below, most))};
  }
};

/// Can pieces of these tensors, of rows `cols` wide, be moved whole?
inline bool moves_whole(std::int64_t cols, std::initializer_list<Tensor> tensors) {
  return cols % 64 == 0 && std::all_of(tensors.begin(), tensors.end(), [](const Tensor& t) {
           const std::size_t piece = t.dtype == Dtype::kFloat32 ? 16 : 8;
           return reinterpret_cast<std::uintptr_t>(t.data) % piece == 0;
         });
}

/// body(T{}, std::bool_constant<kWhole>{}) for tensors of the type of activations.
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

/// body(T{}, std::integral_constant<int, kUnits>{}, std::bool_constant<kWhole>{}) for kernels whose
/// rows lie on sixteen lanes: three whole units each, which is the width of the model; up to four;
/// any number.
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
