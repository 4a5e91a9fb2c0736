// Maximum and sum of exponentials of a row.
#pragma once

#include "engine/cuda/kernel.cuh"

namespace cdt {

struct SoftmaxRow {
  float max, sum;
};

/// Over the columns of a row, for all threads of the block.
__device__ __forceinline__ SoftmaxRow softmax_row(const float* row, int cols) {
  float high = -infinity();
  for_columns(cols, [&](int c) { high = Max{}(high, row[c]); });
  high = over_block(high, Max{});
  float sum = 0.0F;
  for_columns(cols, [&](int c) { sum += expf(row[c] - high); });
  return {high, sum_over_block(sum)};
}

}  // namespace cdt
