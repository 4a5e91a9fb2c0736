// The boundary between the ops and a device: memory, copies and just the kernels CDT calls. An op
// (engine/ops/) checks shapes and records gradients; a backend computes. Kernels check nothing.
//
// Conventions: every tensor is float32, row-major and contiguous unless strides are given.
// `accumulate` adds to the destination instead of writing it. Sums run in an order that depends on
// shapes only, so results are the same bits at any thread count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/arena.h"
#include "engine/random.h"
#include "engine/tensor.h"

namespace cdt {

/// C = alpha * op(A) op(B) + beta * C (+ bias on every row), row-major; op(A) is (m, k), op(B) is
/// (k, n), C is (m, n). `batch` problems lie stride_* elements apart (0: shared).
struct Gemm {
  bool trans_a = false, trans_b = false;
  std::int64_t m = 0, n = 0, k = 0;
  float alpha = 1.0F;
  const float* a = nullptr;
  std::int64_t lda = 0;
  const float* b = nullptr;
  std::int64_t ldb = 0;
  float beta = 0.0F;
  float* c = nullptr;
  std::int64_t ldc = 0;
  const float* bias = nullptr;  // (n) or null
  std::int64_t batch = 1, stride_a = 0, stride_b = 0, stride_c = 0;
};

/// A (batch, n, H*K) operand of attention inside a wider row: element (b, i, h, k) stands at
/// data[b * batch_stride + i * row_stride + h * K + k]. batch_stride 0: the batch shares it.
struct HeadsView {
  float* data = nullptr;
  std::int64_t row_stride = 0;
  std::int64_t batch_stride = 0;
};

/// softmax(q k^T / sqrt(K)) v per head, dropout on the probabilities.
struct Attention {
  std::int64_t batch = 0, heads = 0, head_dim = 0, queries = 0, keys = 0;  // B H K Nq Nk
  HeadsView q, k, v;
  Tensor out;            // (B, Nq, H*K)
  Tensor log_sum_exp;    // (Bs, H, Nq), Bs = 1 when q, k are shared by the batch, else B
  Tensor probabilities;  // (B, H, Nq, Nk) before dropout, or empty: not wanted
  /// Mask row of (b, h, i) is (b * H + h) * Nq + i, its column the key.
  DropoutKey dropout;
};

/// Gradients of Attention. Where an operand is shared by the batch its gradient is the sum over the
/// batch. dq, dk, dv are written, not accumulated; a null data pointer: not wanted.
struct AttentionBackward {
  Attention forward;  // as it ran; out and log_sum_exp filled
  Tensor dout;        // (B, Nq, H*K)
  HeadsView dq, dk, dv;
};

/// AdamW over one parameter (Loshchilov & Hutter 2019, PyTorch's order of operations):
/// decay first, then the Adam step with bias correction.
struct AdamWStep {
  // In float64: 1 - beta2 would lose 1.3e-5 of itself from a float32 0.999.
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  double bias_correction1 = 1, bias_correction2 = 1;  // 1 - beta^t
  float grad_scale = 1;                               // from clipping
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;

  // memory
  virtual float* reserve(std::size_t bytes) = 0;
  virtual void release(float* base, std::size_t bytes) = 0;
  virtual void upload(const Tensor& dst, const float* host) = 0;
  virtual void download(float* host, const Tensor& src) = 0;
  virtual void copy(const Tensor& dst, const Tensor& src) = 0;
  virtual void fill(const Tensor& dst, float value) = 0;

  // dense algebra
  virtual void gemm(const Gemm& g) = 0;
  /// out(C) = sum over rows of x(R, C)
  virtual void column_sum(const Tensor& x, const Tensor& out, bool accumulate) = 0;

  // element-wise
  /// out += a
  virtual void add_to(const Tensor& out, const Tensor& a) = 0;
  /// y(B*R, C) = x(R, C) repeated over the batch, times the mask; B*R = y.rows()
  virtual void dropout(const Tensor& x, const DropoutKey& key, const Tensor& y) = 0;
  /// dx(R, C) (+)= sum over the batch of dy(B*R, C) times the mask
  virtual void dropout_backward(const Tensor& dy, const DropoutKey& key, const Tensor& dx,
                                bool accumulate) = 0;
  /// y = mask * gelu(x), the exact erf form; y may be x. first_row: mask row of y's row 0.
  virtual void gelu_dropout(const Tensor& x, const DropoutKey& key, std::int64_t first_row,
                            const Tensor& y) = 0;
  /// dx = dy * mask * gelu'(x); dx may be dy
  virtual void gelu_dropout_backward(const Tensor& x, const Tensor& dy, const DropoutKey& key,
                                     std::int64_t first_row, const Tensor& dx) = 0;

  // normalisation; stats (R, 2) holds mean and 1 / sqrt(var + 1e-5)
  virtual void layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& y,
                          const Tensor& stats) = 0;
  /// dx may be null (empty) or dy itself; dgamma, dbeta accumulate, or are empty: not wanted.
  virtual void layer_norm_backward(const Tensor& x, const Tensor& gamma, const Tensor& stats,
                                   const Tensor& dy, const Tensor& dx, const Tensor& dgamma,
                                   const Tensor& dbeta) = 0;
  /// a = x + mask * a in place; x(R, C) is repeated over the batch where a has more rows
  virtual void residual_dropout(const Tensor& x, const DropoutKey& key, const Tensor& a) = 0;

  // attention
  virtual void attention(const Attention& a, Arena& scratch) = 0;
  virtual void attention_backward(const AttentionBackward& a, Arena& scratch) = 0;
  /// x(R, C) row-wise softmax in place, then dropped(R, C) = mask * x; dropped may be x
  virtual void softmax_dropout(const Tensor& x, const DropoutKey& key, const Tensor& dropped) = 0;
  /// ds(R, C) from the softmax output p and the gradient of the dropped probabilities; ds may be dp
  virtual void softmax_dropout_backward(const Tensor& p, const Tensor& dp, const DropoutKey& key,
                                        const Tensor& ds) = 0;

  // loss and selection
  /// out(B) = x(B, G)[b, index[b]]; index is host memory
  virtual void select(const Tensor& x, const std::int32_t* index, const Tensor& out) = 0;
  /// dx(B, G) = 0 but dx[b, index[b]] = dout[b]
  virtual void select_backward(const Tensor& dout, const std::int32_t* index, const Tensor& dx) = 0;
  /// out(1) = mean over B of Huber(prediction - target), delta > 0 (SmoothL1 * delta)
  virtual void huber(const Tensor& prediction, const Tensor& target, float delta,
                     const Tensor& out) = 0;
  /// dprediction(B) = dloss(1) * d huber / d prediction
  virtual void huber_backward(const Tensor& prediction, const Tensor& target, float delta,
                              const Tensor& dloss, const Tensor& dprediction) = 0;

  // optimiser and reductions
  /// Sum of squares in float64.
  virtual double sum_of_squares(const Tensor& x) = 0;
  virtual void adamw(const Tensor& w, const Tensor& grad, const Tensor& m, const Tensor& v,
                     const AdamWStep& step) = 0;
  /// out(R) = sqrt(max(0, sum over columns of a(R, C) * b(R, C))), summed in float64
  virtual void row_dot_sqrt(const Tensor& a, const Tensor& b, const Tensor& out) = 0;
};

/// The CPU backend: oneDNN and OpenMP. threads 0: as many as OpenMP takes.
std::unique_ptr<Backend> make_cpu_backend(int threads);

/// Is the CUDA backend part of this build, and is there a GPU it can use?
bool cuda_built();
bool cuda_available();

/// The CUDA backend on GPU number `device`. InputError where cuda_available() is false or there is
/// no such GPU. Without CUDA in the build, engine/no_cuda.cc stands in for these three.
std::unique_ptr<Backend> make_cuda_backend(int device);

}  // namespace cdt
