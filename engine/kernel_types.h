// Kernel arguments that are more than tensors: operands of matrix products, views of attention
// heads, the optimiser's parameters.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/random.h"
#include "engine/tensor.h"

namespace cdt {

/// The address and element type of a matrix.
struct Operand {
  void* data = nullptr;
  Dtype dtype = Dtype::kFloat32;

  Operand() = default;
  Operand(const float* floats) : data(const_cast<float*>(floats)) {}  // NOLINT: implicit
  Operand(const Tensor& t) : data(t.data), dtype(t.dtype) {}          // NOLINT: implicit
  explicit operator bool() const { return data != nullptr; }
  float* floats() const { return static_cast<float*>(data); }
};

/// C = alpha * op(A) op(B) + beta * C (+ bias on every row), row-major; op(A) is (m, k), op(B) is
/// (k, n), C is (m, n). The `batch` problems are stride_* elements apart (0: shared). A and B have
/// the same type, bias has C's; products of bfloat16 are summed in float32.
struct Gemm {
  bool trans_a = false, trans_b = false;
  std::int64_t m = 0, n = 0, k = 0;
  float alpha = 1.0F;
  Operand a{};
  std::int64_t lda = 0;
  Operand b{};
  std::int64_t ldb = 0;
  float beta = 0.0F;
  Operand c{};
  std::int64_t ldc = 0;
  Operand bias{};  // (n) or none
  std::int64_t batch = 1, stride_a = 0, stride_b = 0, stride_c = 0;
};

/// A (batch, n, H*K) attention operand inside a wider row: element (b, i, h, k) is at data[b *
/// batch_stride + i * row_stride + h * K + k]. batch_stride 0: shared by the batch.
struct HeadsView {
  float* data = nullptr;
  std::int64_t row_stride = 0;
  std::int64_t batch_stride = 0;
  Dtype dtype = Dtype::kFloat32;
};

/// softmax(q k^T / sqrt(K)) v per head, dropout on the probabilities.
struct Attention {
  std::int64_t batch = 0, heads = 0, head_dim = 0, queries = 0, keys = 0;  // B H K Nq Nk
  HeadsView q, k, v;
  Tensor out;            // (B, Nq, H*K)
  Tensor log_sum_exp;    // (Bs, H, Nq), Bs = 1 when q, k are shared by the batch, else B
  Tensor probabilities;  // (B, H, Nq, Nk) before dropout, or empty if not wanted
  /// The mask row of (b, h, i) is (b * H + h) * Nq + i, from dropout.first_row on; its column is
  /// the key.
  DropoutKey dropout;
  /// The dropout mask that attention() stores for attention_backward(), attention_kept_floats()
  /// long. If empty, none is stored and the backward pass draws it again.
  Tensor kept{};
};

/// Gradients of Attention. The gradient of a shared operand is the sum over the batch. dq, dk, dv
/// are overwritten, not accumulated; those with a null data pointer are not computed.
struct AttentionBackward {
  Attention forward;  // the forward pass as it ran, out and log_sum_exp filled
  Tensor dout;        // (B, Nq, H*K)
  HeadsView dq, dk, dv;
  /// If more than 1, the forward pass had one sample (B = 1) and no dropout, dout is (cotangents,
  /// Nq, H*K), and there is one gradient per cotangent, batch_stride apart.
  std::int64_t cotangents = 1;
};

/// True if the batch shares this operand.
inline bool is_shared(const HeadsView& view, std::int64_t batch) {
  return batch == 1 || view.batch_stride == 0;
}

/// True if the scores are the same for every sample, so that they are computed once.
inline bool scores_shared(const Attention& a) {
  return is_shared(a.q, a.batch) && is_shared(a.k, a.batch);
}

/// Returns the forward pass as the backward pass sees it: several cotangents act as a batch that
/// shares the operands of its one sample.
inline Attention forward_of(const AttentionBackward& a) {
  Attention f = a.forward;
  if (a.cotangents == 1) return f;
  f.batch = a.cotangents;
  f.q.batch_stride = f.k.batch_stride = f.v.batch_stride = 0;
  return f;
}

/// Address of row `row` of head h of sample b.
inline float* head_row(const HeadsView& view, const Attention& a, std::int64_t b, std::int64_t h,
                       std::int64_t row) {
  return view.data + b * view.batch_stride + row * view.row_stride + h * a.head_dim;
}

/// A tensor (B, Nq, H*K) as a view.
inline HeadsView dense_view(const Attention& a, const Tensor& t) {
  const std::int64_t row = a.heads * a.head_dim;
  return {t.data, row, a.queries * row, t.dtype};
}

/// Number of multiply-adds of all scores.
inline std::int64_t score_products(const Attention& a) {
  return a.batch * a.heads * a.queries * a.keys * a.head_dim;
}

inline float score_scale(const Attention& a) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a.head_dim)));
}

/// Dropout mask row of query i of head h of sample b, counted from dropout.first_row.
inline std::uint32_t mask_row(const Attention& a, std::int64_t b, std::int64_t h, std::int64_t i) {
  return static_cast<std::uint32_t>((b * a.heads + h) * a.queries + i);
}

/// Gradients of y = LayerNorm(s), s(R, C) = x + mask * a. Empty gradients are not computed.
struct AddNormBackward {
  Tensor sum, gamma, stats;  // s, and the stats that the forward pass wrote
  Tensor dy;                 // (R, C)
  DropoutKey dropout{};      // the mask
  Tensor dx{};               // (R, C), or (R / B, C) if the batch shares x: the sum over the batch
  bool add_dx = false;       // add to dx instead of overwriting it
  Tensor da{};               // (R, C)
  bool add_da = false;
  Tensor dgamma{}, dbeta{};  // (C), added to
  Tensor dbias{};            // (C), += column sums of da, a's bias gradient; only if !add_da
};

/// The settings of one AdamW update (Loshchilov & Hutter 2019, PyTorch's order of operations):
/// weight decay first, then the Adam step with bias correction.
struct AdamWStep {
  // float64, because 1 - beta2 has a relative error of 1.3e-5 if beta2 is a float32 0.999.
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  double bias_correction1 = 1, bias_correction2 = 1;  // 1 - beta^t
};

/// The factors of one update in float32. Kernels read them from device memory, so that a replayed
/// step uses the current learning rate.
struct AdamWRates {
  float decay, beta1, rest1, beta2, rest2, rate, root, eps;
};
inline AdamWRates adamw_rates(const AdamWStep& step) {
  return {.decay = static_cast<float>(1.0 - step.lr * step.weight_decay),
          .beta1 = static_cast<float>(step.beta1),
          .rest1 = static_cast<float>(1.0 - step.beta1),
          .beta2 = static_cast<float>(step.beta2),
          .rest2 = static_cast<float>(1.0 - step.beta2),
          .rate = static_cast<float>(step.lr / step.bias_correction1),
          .root = static_cast<float>(std::sqrt(step.bias_correction2)),
          .eps = static_cast<float>(step.eps)};
}

/// Returns the factor that clips gradients of global norm `norm` to `max_norm`: max_norm / (norm +
/// 1e-6), at most 1. max_norm 0: no clipping.
inline float clip_factor(double norm, double max_norm) {
  if (max_norm <= 0.0) return 1.0F;
  return static_cast<float>(std::min(1.0, max_norm / (norm + 1e-6)));
}

/// A parameter with its gradient and moments, all of equal shape.
struct AdamWTensors {
  Tensor w, grad, first, second;
  Tensor rounded;          // bfloat16 copy of w, updated with it; or empty
  std::int32_t group = 0;  // row of the rates that it is updated with
};

}  // namespace cdt
