// The differentiable ops of CDT. Their sources are in engine/ops/, each gradient rule directly
// under its forward pass. Dimensions as in engine/tensor.h; "1|B" marks a leading dimension of 1
// whose one element the whole batch shares. Dropout masks belong to samples, those of the first
// dimension of what is masked: a batch of one is the tape's first sample (Tape::train()).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/tape.h"

namespace cdt {

/// y = x converted to the type of the backend's activations; x itself if it has that type.
Var to_activations(Tape& tape, Var x);
/// Likewise to float32.
Var to_float32(Tape& tape, Var x);

/// y(..., O) = x(..., I) weight(O, I)^T + bias(O).
Var linear(Tape& tape, Var x, Var weight, Var bias);

/// y = gamma * (x - mean) / sqrt(var + 1e-5) + beta over the last dimension.
Var layer_norm(Tape& tape, Var x, Var gamma, Var beta);

/// y(B, N, D) = dropout(x(1|B, N, D)); a shared x gets one mask per sample. In eval a shared x is
/// returned unchanged, still shared. per: if the batch is to share y too, kBatch, with a batch
/// of 1.
Var dropout(Tape& tape, Var x, float p, std::int64_t batch, MaskPer per = MaskPer::kSample);

/// y = x + a, element-wise; x(1|B, N, D) may be shared, a is (B, N, D). Overwrites a, so the op
/// that made it must not read its output in backward (linear and feed_forward do not).
Var residual(Tape& tape, Var x, Var a);

/// y = x + a as residual(), in memory of its own: a stays.
Var add(Tape& tape, Var x, Var a);

/// y(B, N, D) = LayerNorm(x(1|B, N, D) + dropout(a(B, N, D))): the post-norm residual. Overwrites
/// a, as residual() does.
Var add_norm(Tape& tape, Var x, Var a, Var gamma, Var beta, float p);

/// y = dropout(gelu(x)), the exact erf form.
Var gelu_dropout(Tape& tape, Var x, float p);

struct FeedForwardParameters {
  Var w1 = nullptr, b1 = nullptr;  // (F, D), (F)
  Var w2 = nullptr, b2 = nullptr;  // (D, F), (D)
};

/// y(..., D) = dropout(gelu(x(..., D) w1^T + b1)) w2^T + b2. Of the inner (.., F) tensors only the
/// pre-activation is kept.
Var feed_forward(Tape& tape, Var x, const FeedForwardParameters& w, float p);

/// Multi-head attention without projections. q is (1|B, Nq, D); kv is (1|B, Nk, 2D), keys then
/// values. Returns (1|B, Nq, D), shared only if q and kv are shared and there is no dropout.
/// probabilities, if not null, receives (B, H, Nq, Nk) after the softmax, before dropout.
Var attention(Tape& tape, Var q, Var kv, std::int64_t heads, float p, std::int64_t batch,
              Tensor* probabilities = nullptr);

/// attention() with queries, keys and values packed in one qkv(1|B, N, 3D).
Var self_attention(Tape& tape, Var qkv, std::int64_t heads, float p, std::int64_t batch,
                   Tensor* probabilities = nullptr);

/// Parameters of attention pooling. If all but query are null there are no projections, one head,
/// and scale 1/sqrt(D) (the paper's form).
struct PoolParameters {
  Var query = nullptr;           // (1, 1, D)
  Var in_proj_weight = nullptr;  // (3D, D)
  Var in_proj_bias = nullptr;    // (3D)
};

/// Pools x(1|B, N, D) by attention from one learned query. Returns (1|B, D), before any output
/// projection. probabilities, if not null, receives (1|B, H, N).
Var attention_pool(Tape& tape, Var x, const PoolParameters& w, std::int64_t heads, float p,
                   std::int64_t batch, Tensor* probabilities = nullptr);

/// Tokens (1, N, D) = LayerNorm(y + feed_forward(y)) and their pooling (1, D).
struct PooledTokens {
  Var tokens = nullptr, pooled = nullptr;
};

/// Computes feed_forward(), add_norm() and attention_pool() of one y(1, N, D) as a single op, for
/// frozen weights, without dropout, and with tokens that nothing but the pooling differentiates.
/// The gradient that reaches the tokens then has rank 2 H at most, so only the first backward pass
/// needs a product with w2 over all tokens. probabilities: as in attention_pool().
PooledTokens feed_forward_pool(Tape& tape, Var y, const FeedForwardParameters& ffn, Var gamma,
                               Var beta, const PoolParameters& pool, std::int64_t heads,
                               Tensor* probabilities = nullptr);

/// Concatenates (1|B, Di) along the last dimension to (B, D1 + D2 + ...).
Var concat(Tape& tape, const std::vector<Var>& parts, std::int64_t batch);

/// y has x's elements in another shape of equal count. Takes over x's memory, so the op that made x
/// must not read its output in backward.
Var reshape(Tape& tape, Var x, const Shape& shape);

/// y(B, D) = token index[b] of sample b of x(1|B, N, D), in float32. index(B) is int32 with values
/// in [0, N).
Var take_token(Tape& tape, Var x, const Tensor& index);

/// y(B, N) = w2 dropout(gelu(w1 [cell(B, D); rna(B, N, D); protein(B, N, D)] + b1)) + b2 for every
/// token n; w1 is (D, 3D), w2 (1, D), b2 (1). cell and y are float32.
Var gene_head(Tape& tape, Var cell, Var rna, Var protein, const FeedForwardParameters& w, float p);

/// Returns (B) from x(B, G): column index[b] of row b. index(B) is int32 with values in [0, G).
Var select(Tape& tape, Var x, const Tensor& index);

/// Scalar (1): mean over B of the Huber loss of prediction(B) against target(B).
Var huber(Tape& tape, Var prediction, const Tensor& target, float delta, const Tensor& weight = {});

}  // namespace cdt
