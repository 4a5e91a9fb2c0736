// Attention in one kernel each way: scores never leave the multiprocessor (Dao et al. 2022; Dao
// 2023). bfloat16 on tensor cores, sums in float32; dropout masks are the engine's own, exact and
// equal to the CPU's. Gradients are summed by blocks that own their rows: no atomics, the same
// bits on every run. The backward pass computes scores twice, once for dq and once for dk and dv.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "engine/bfloat16.h"
#include "engine/cuda/launch.h"

namespace cdt {

/// Element (b, i, h, k) at data[b * batch_stride + i * row_stride + h * K + k]. null: not wanted.
struct FusedView {
  BFloat16* data = nullptr;
  std::int64_t row_stride = 0, batch_stride = 0;
};

struct FusedAttention {
  int batch = 0, heads = 0, queries = 0, keys = 0;  // B H Nq Nk
  float scale = 1.0F;
  FusedView q, k, v, out;
  float* log_sum_exp = nullptr;  // (B, H, Nq), samples sums_stride apart
  std::int64_t sums_stride = 0;
  Mask mask;
};

struct FusedAttentionBackward {
  FusedAttention forward;
  FusedView dout, dq, dk, dv;
  const float* dots = nullptr;  // (B, H, Nq), sum over K of dout * out
};

/// Bytes of shared memory that a block of the kernels for this head size takes; 0: there are none.
std::size_t fused_attention_shared(std::int64_t head_dim);

/// Strides and addresses are multiples of 16 bytes.
void fused_attention(cudaStream_t stream, const FusedAttention& a, std::int64_t head_dim);
void fused_attention_backward(cudaStream_t stream, const FusedAttentionBackward& a,
                              std::int64_t head_dim);

}  // namespace cdt
