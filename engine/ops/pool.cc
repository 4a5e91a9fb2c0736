#include "engine/ops/pool.h"

#include <cmath>
#include <string>

#include "engine/error.h"

namespace cdt {
namespace {

enum Part { kQuery = 0, kKey = 1, kValue = 2 };

// q = W_q query + b_q; u_h = scale * q_h W_k,h
void absorb_query(Backend& backend, const Pool& s) {
  if (!s.projected()) {
    backend.copy(s.u, s.w.query->value);
    return;
  }
  backend.gemm({.trans_b = true,
                .m = 1,
                .n = s.d,
                .k = s.d,
                .a = s.w.query->value.data,
                .lda = s.d,
                .b = s.weight(kQuery),
                .ldb = s.d,
                .c = s.q.data,
                .ldc = s.d,
                .bias = s.bias(kQuery)});
  backend.gemm({.m = 1,
                .n = s.d,
                .k = s.k,
                .a = s.q.data,
                .lda = s.k,
                .b = s.weight(kKey),
                .ldb = s.d,
                .c = s.u.data,
                .ldc = s.d,
                .batch = s.heads,
                .stride_a = s.k,
                .stride_b = s.k * s.d,
                .stride_c = s.d});
}

void pool_probabilities(Backend& backend, const Pool& s) {
  backend.pool_scores(s.u, s.x->value, {}, s.scale, s.p);
  const Shape rows{s.batch * s.heads, s.n};
  backend.softmax_dropout(s.p.reshaped(rows), s.key, s.dropped.reshaped(rows));
}

void mix_values(Tape& tape, const Pool& s) {
  Backend& backend = tape.backend();
  backend.pool_mix(s.dropped, s.x->value, s.mixed, s.projected() ? s.mass : Tensor{},
                   tape.scratch());
  if (!s.projected()) {
    backend.copy(s.out->value, s.mixed.reshaped({s.batch, s.d}));
    return;
  }
  backend.gemm({.trans_b = true,
                .m = s.batch,
                .n = s.k,
                .k = s.d,
                .a = s.mixed.data,
                .lda = s.heads * s.d,
                .b = s.weight(kValue),
                .ldb = s.d,
                .c = s.out->value.data,
                .ldc = s.d,
                .batch = s.heads,
                .stride_a = s.d,
                .stride_b = s.k * s.d,
                .stride_c = s.k});
  backend.gemm({.m = s.batch,
                .n = s.k,
                .k = 1,
                .a = s.mass.data,
                .lda = s.heads,
                .b = s.bias(kValue),
                .ldb = s.k,
                .beta = 1.0F,
                .c = s.out->value.data,
                .ldc = s.d,
                .batch = s.heads,
                .stride_a = 1,
                .stride_b = s.k,
                .stride_c = s.k});
}

// Output (B', D) -> dmixed (B', H, D), dmass (B', H), and the value projection's gradients.
void value_backward(Backend& backend, const Pool& s, const Tensor& dmixed, const Tensor& dmass) {
  const float* dout = s.out->grad.data;
  if (!s.projected()) {
    backend.copy(dmixed, s.out->grad.reshaped({s.batch, 1, s.d}));
    backend.fill(dmass, 0.0F);
    return;
  }
  backend.gemm({.m = s.batch,
                .n = s.d,
                .k = s.k,
                .a = dout,
                .lda = s.d,
                .b = s.weight(kValue),
                .ldb = s.d,
                .c = dmixed.data,
                .ldc = s.heads * s.d,
                .batch = s.heads,
                .stride_a = s.k,
                .stride_b = s.k * s.d,
                .stride_c = s.d});
  backend.gemm({.m = s.batch,
                .n = 1,
                .k = s.k,
                .a = dout,
                .lda = s.d,
                .b = s.bias(kValue),
                .ldb = 1,
                .c = dmass.data,
                .ldc = s.heads,
                .batch = s.heads,
                .stride_a = s.k,
                .stride_b = s.k,
                .stride_c = 1});
  if (!s.w.in_proj_weight->needs_grad) return;
  backend.gemm({.trans_a = true,
                .m = s.k,
                .n = s.d,
                .k = s.batch,
                .a = dout,
                .lda = s.d,
                .b = s.mixed.data,
                .ldb = s.heads * s.d,
                .beta = 1.0F,
                .c = s.weight_grad(kValue),
                .ldc = s.d,
                .batch = s.heads,
                .stride_a = s.k,
                .stride_b = s.d,
                .stride_c = s.k * s.d});
  backend.gemm({.trans_a = true,
                .m = s.k,
                .n = 1,
                .k = s.batch,
                .a = dout,
                .lda = s.d,
                .b = s.mass.data,
                .ldb = s.heads,
                .beta = 1.0F,
                .c = s.bias_grad(kValue),
                .ldc = 1,
                .batch = s.heads,
                .stride_a = s.k,
                .stride_b = 1,
                .stride_c = s.k});
}

// dscores (B', H, N), already times the score scale.
void scores_backward(Backend& backend, const Pool& s, const Tensor& dmixed, const Tensor& dmass,
                     const Tensor& dscores) {
  backend.pool_scores(dmixed, s.x->value, dmass, s.scale, dscores);
  const Shape rows{s.batch * s.heads, s.n};
  backend.softmax_dropout_backward(s.p.reshaped(rows), dscores.reshaped(rows), s.key,
                                   dscores.reshaped(rows));
}

// du (H, D) = sum over the batch of dscores x, then on to W_k, W_q, b_q and the query.
void query_backward(Tape& tape, const Pool& s, const Tensor& dscores) {
  if (!s.w.query->needs_grad) return;
  Backend& backend = tape.backend();
  const Scratch du(tape.scratch(), {1, s.heads, s.d});
  backend.pool_mix(dscores, s.x->value, *du, {}, tape.scratch());
  if (!s.projected()) {
    backend.add_to(s.w.query->grad, *du);
    return;
  }
  const Scratch dq(tape.scratch(), {1, s.d});
  backend.gemm({.trans_b = true,
                .m = 1,
                .n = s.k,
                .k = s.d,
                .a = du.data(),
                .lda = s.d,
                .b = s.weight(kKey),
                .ldb = s.d,
                .c = dq.data(),
                .ldc = s.k,
                .batch = s.heads,
                .stride_a = s.d,
                .stride_b = s.k * s.d,
                .stride_c = s.k});
  backend.gemm({.m = s.k,
                .n = s.d,
                .k = 1,
                .a = s.q.data,
                .lda = 1,
                .b = du.data(),
                .ldb = s.d,
                .beta = 1.0F,
                .c = s.weight_grad(kKey),
                .ldc = s.d,
                .batch = s.heads,
                .stride_a = s.k,
                .stride_b = s.d,
                .stride_c = s.k * s.d});
  backend.gemm({.m = s.d,
                .n = s.d,
                .k = 1,
                .a = dq.data(),
                .lda = 1,
                .b = s.w.query->value.data,
                .ldb = s.d,
                .beta = 1.0F,
                .c = s.weight_grad(kQuery),
                .ldc = s.d});
  backend.add_to({s.bias_grad(kQuery), {1, s.d}}, *dq);
  backend.gemm({.m = 1,
                .n = s.d,
                .k = s.d,
                .a = dq.data(),
                .lda = s.d,
                .b = s.weight(kQuery),
                .ldb = s.d,
                .beta = 1.0F,
                .c = s.w.query->grad.data,
                .ldc = s.d});
}

void expect_parameters(const PoolParameters& w, std::int64_t d, std::int64_t heads) {
  CDT_CHECK(heads > 0 && d % heads == 0, "attention_pool: hidden size " + std::to_string(d) +
                                             " is not a multiple of " + std::to_string(heads) +
                                             " heads");
  expect_shape("attention_pool", "query", w.query->value, {1, 1, d});
  if (w.in_proj_weight == nullptr) {
    CDT_CHECK(heads == 1, "attention_pool: without projections there is one head");
    return;
  }
  expect_shape("attention_pool", "in_proj_weight", w.in_proj_weight->value, {3 * d, d});
  expect_shape("attention_pool", "in_proj_bias", w.in_proj_bias->value, {3 * d});
}

}  // namespace

Pool pool_values(Tape& tape, Var x, const PoolParameters& w, std::int64_t heads, float p,
                 std::int64_t batch, Tensor* probabilities, std::vector<Tensor>& saved) {
  const std::int64_t d = x->value.cols();
  const std::int64_t leading = x->value.shape[0];
  expect_parameters(w, d, heads);
  const DropoutKey key = tape.next_dropout(p);
  CDT_CHECK(leading == batch || (leading == 1 && key.p <= 0.0F),
            "attention_pool: a shared x cannot have masks of its own per sample");
  const std::int64_t n = x->value.shape[1];
  const std::int64_t k = d / heads;
  Pool s{.batch = leading,
         .n = n,
         .d = d,
         .heads = heads,
         .k = k,
         .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(k))),
         .w = w,
         .x = x,
         .out = nullptr,
         .key = key,
         .q = tape.saved({d}),
         .u = tape.saved({1, heads, d}),
         .p = tape.saved({leading, heads, n}),
         .dropped = {},
         .mixed = tape.saved({leading, heads, d}),
         .mass = tape.saved({leading, heads})};
  s.out = tape.output({leading, d}, x->needs_grad || w.query->needs_grad);
  saved = {s.q, s.u, s.mixed, s.mass};
  s.dropped = key.p > 0.0F ? tape.saved({leading, heads, n}) : s.p;
  if (key.p > 0.0F) saved.push_back(s.dropped);
  if (probabilities == nullptr) {
    saved.push_back(s.p);
  } else {
    *probabilities = s.p;  // stays until the step ends
  }
  absorb_query(tape.backend(), s);
  pool_probabilities(tape.backend(), s);
  mix_values(tape, s);
  return s;
}

void pool_backward(Tape& tape, const Pool& s, const PoolGradient& g) {
  const Scratch dmass(tape.scratch(), {s.batch, s.heads});
  value_backward(tape.backend(), s, *g.dmixed, *dmass);
  scores_backward(tape.backend(), s, *g.dmixed, *dmass, *g.dscores);
  query_backward(tape, s, *g.dscores);
}

}  // namespace cdt
