// Tiled attention: scores never leave the multiprocessor (Dao et al. 2022; Dao 2023). It runs on
// tensor cores in bfloat16, tf32 or at float32 accuracy (FloatPart), with float32 sums. Dropout
// masks are the engine's own, exact and equal to the CPU's. Each gradient is summed by the block
// that owns its rows: no atomics, the same bits on every run. The backward pass computes scores
// twice, once for dq and once for dk and dv.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/bfloat16.h"
#include "engine/cuda/launch.h"

namespace cdt {

/// Element type of operands at float32 accuracy: one of the three bfloat16 parts of a number
/// (float_parts.cuh). A head's row holds part 0 of all its elements, then part 1, then part 2.
struct FloatPart {
  std::uint16_t bits;
};

/// The output type of kernels on operands of type T.
template <class T>
using Result = std::conditional_t<std::is_same_v<T, FloatPart>, float, T>;

/// A strided view: element (b, i, h, k) is at data[b * batch_stride + i * row_stride + h * K + k].
/// Null if the operand is not to be computed.
template <class T>
struct FusedView {
  T* data = nullptr;
  std::int64_t row_stride = 0, batch_stride = 0;
};

/// Dropout mask of scores as bits. Row r and tile j of 64 columns have their 64 bits in words[(head
/// * tiles + j) * padded + r], where `head` counts the heads of all samples. place_of_bit() maps
/// bits to columns.
struct KeptBits {
  uint2* words = nullptr;     // null: no dropout, everything is kept
  int tiles = 0, padded = 0;  // tiles of 64 columns; rows padded to a multiple of kKeptRows
};
constexpr int kKeptColumns = 64;
constexpr int kKeptRows = 128;  // rows of the largest block that reads the bits

template <class T>
struct FusedAttention {
  int batch = 0, heads = 0, head_dim = 0, queries = 0, keys = 0;  // B H K Nq Nk
  float scale = 1.0F;                                             // scale of the scores
  float kept_scale = 1.0F;                                        // scale of the kept probabilities
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
  /// A gradient with batch_stride 0 is the sum over the batch. dk and dv are both set or both null.
  FusedView<Result<T>> dq, dk, dv;
  /// (B, H, Nq): log-sum-exp in units of log2, and the sum over K of dout * out, divided by
  /// kept_scale.
  const float2* row_sums = nullptr;
  KeptBits kept_of_keys;  // (B H, Nk) by queries
};

/// Most bytes of shared memory per block of the kernels other than the two below. 0: no kernel
/// supports heads of this size; supported are multiples of 8 up to 128, up to 96 in parts.
template <class T>
std::size_t fused_attention_bytes(std::int64_t head_dim);
/// Bytes of shared memory per block of attention_together() and of attention_backward_together().
template <class T>
int mix_shared_bytes(std::int64_t head_dim);
template <class T>
int shared_gradient_bytes(std::int64_t head_dim);

/// Computes out and log_sum_exp; with a null `out`, only log_sum_exp. Strides and addresses must be
/// multiples of 16 bytes.
template <class T>
void fused_attention(cudaStream_t stream, const FusedAttention<T>& a);
template <class T>
void fused_attention_backward(cudaStream_t stream, const FusedAttentionBackward<T>& a);

/// For a batch that shares q, k and v but not the masks: computes out, given log_sum_exp.
template <class T>
void attention_together(cudaStream_t stream, const FusedAttention<T>& a);

/// Intermediate results of the backward pass of attention_together(). Matrix products turn them
/// into dq = scale kept_scale ds^T k and dk = scale kept_scale ds q, per head.
template <class T>
struct SharedSums {
  Result<T>* ds = nullptr;  // (H, Nk, ld): score gradients summed over the batch, a row per key
  std::int64_t ld = 0;      // queries rounded up to tiles of 64
  float* dv = nullptr;      // (parts, Nk, H * K): workspace
  int parts = 1;            // parts of the queries, to get more blocks
};
/// Writes to.ds and b.dv.
template <class T>
void attention_backward_together(cudaStream_t stream, const FusedAttentionBackward<T>& b,
                                 const SharedSums<T>& to);
/// Computes probabilities(B, H, Nq, Nk) before dropout, from log_sum_exp.
template <class T>
void attention_map(cudaStream_t stream, const FusedAttention<T>& a, float* probabilities);

/// Draws the mask of the scores of `heads` heads (of all samples) into the words of by_query and
/// by_key, whichever are not null.
void draw_kept(cudaStream_t stream, const Mask& mask, int heads, int queries, int keys,
               const KeptBits& by_query, const KeptBits& by_key);

/// Computes FusedAttentionBackward::row_sums from dout, which is not split into parts; a.out has
/// out_batch samples, B or 1.
template <class T>
void row_sums(cudaStream_t stream, const FusedAttention<T>& a, const FusedView<Result<T>>& dout,
              int out_batch, float2* sums);

}  // namespace cdt
