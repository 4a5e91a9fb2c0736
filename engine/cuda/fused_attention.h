// Attention in tiles: scores never leave the multiprocessor (Dao et al. 2022; Dao 2023). On tensor
// cores, in bfloat16, in tf32 or at float32 accuracy (FloatPart), with sums in float32; dropout
// masks are the engine's own, exact and equal to the CPU's. Gradients are summed by blocks that own
// their rows: no atomics, the same bits on every run. The backward pass computes scores twice, once
// for dq and once for dk and dv.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/bfloat16.h"
#include "engine/cuda/launch.h"

namespace cdt {

/// The element type of operands at float32 accuracy: one of the three bfloat16 parts of a number
/// (float_parts.cuh). A row of a head is part 0 of its elements, then part 1, then part 2.
struct FloatPart {
  std::uint16_t bits;
};

/// What kernels on operands of T write.
template <class T>
using Result = std::conditional_t<std::is_same_v<T, FloatPart>, float, T>;

/// Element (b, i, h, k) at data[b * batch_stride + i * row_stride + h * K + k]. null: not wanted.
template <class T>
struct FusedView {
  T* data = nullptr;
  std::int64_t row_stride = 0, batch_stride = 0;
};

/// Rows of a dropout mask of scores as bits: of row r of `rows` and tile j of 64 columns the word
/// of 64 at words[(head * tiles + j) * padded + r], heads of all samples counted through. Which bit
/// is whose: place_of_bit().
struct KeptBits {
  uint2* words = nullptr;     // null: everything is kept
  int tiles = 0, padded = 0;  // of 64 columns; rows, in whole blocks of kKeptRows
};
constexpr int kKeptColumns = 64;
constexpr int kKeptRows = 128;  // of the largest block that reads them

template <class T>
struct FusedAttention {
  int batch = 0, heads = 0, head_dim = 0, queries = 0, keys = 0;  // B H K Nq Nk
  float scale = 1.0F;                                             // of scores
  float kept_scale = 1.0F;                                        // of kept probabilities
  FusedView<T> q, k, v;
  FusedView<Result<T>> out;
  float* log_sum_exp = nullptr;  // (B, H, Nq), samples sums_stride apart
  std::int64_t sums_stride = 0;
  KeptBits kept;  // (B H, Nq) by keys
};

template <class T>
struct FusedAttentionBackward {
  FusedAttention<T> forward;
  FusedView<T> dout;
  /// A gradient of batch_stride 0 is the sum over the batch; dk and dv are both or neither.
  FusedView<Result<T>> dq, dk, dv;
  /// (B, H, Nq): log-sum-exp in units of log2, and sum over K of dout * out, over kept_scale.
  const float2* row_sums = nullptr;
  KeptBits kept_of_keys;  // (B H, Nk) by queries
};

/// Bytes of shared memory that a block of the other kernels takes at most. 0: no kernel serves
/// heads of this size; multiples of 8 up to 128 are served, in parts up to 96.
template <class T>
std::size_t fused_attention_bytes(std::int64_t head_dim);
/// Bytes of shared memory for a block of attention_together(), and of
/// attention_backward_together().
template <class T>
int mix_shared_bytes(std::int64_t head_dim);
template <class T>
int shared_gradient_bytes(std::int64_t head_dim);

/// Strides and addresses are multiples of 16 bytes. A null `out`: only log_sum_exp.
template <class T>
void fused_attention(cudaStream_t stream, const FusedAttention<T>& a);
template <class T>
void fused_attention_backward(cudaStream_t stream, const FusedAttentionBackward<T>& a);

/// Where the batch shares q, k and v, and masks differ: out from log_sum_exp, which is there.
template <class T>
void attention_together(cudaStream_t stream, const FusedAttention<T>& a);

/// What the backward pass of attention_together() leaves for products: dq = scale kept_scale ds^T k
/// and dk = scale kept_scale ds q, by head.
template <class T>
struct SharedSums {
  Result<T>* ds = nullptr;  // (H, Nk, ld): by keys, the gradients of scores summed over the batch
  std::int64_t ld = 0;      // queries in whole tiles of 64
  float* dv = nullptr;      // (parts, Nk, H * K): working memory
  int parts = 1;            // of the queries, for more blocks
};
/// Writes ds, and dv of b.
template <class T>
void attention_backward_together(cudaStream_t stream, const FusedAttentionBackward<T>& b,
                                 const SharedSums<T>& to);
/// probabilities(B, H, Nq, Nk) before dropout, from log_sum_exp.
template <class T>
void attention_map(cudaStream_t stream, const FusedAttention<T>& a, float* probabilities);

/// The mask of the scores of `heads` heads, those of all samples, into the words of by_query and of
/// by_key where they have any.
void draw_kept(cudaStream_t stream, const Mask& mask, int heads, int queries, int keys,
               const KeptBits& by_query, const KeptBits& by_key);

/// row_sums of FusedAttentionBackward, from dout not in parts; a.out has out_batch samples, B or 1.
template <class T>
void row_sums(cudaStream_t stream, const FusedAttention<T>& a, const FusedView<Result<T>>& dout,
              int out_batch, float2* sums);

}  // namespace cdt
