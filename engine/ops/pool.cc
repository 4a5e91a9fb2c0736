#include "engine/ops/pool.h"

#include <cmath>
#include <string>

#include "engine/error.h"
#include "engine/product.h"

namespace cdt {
namespace {

// Thirds of in_proj_weight(3D, D), in_proj_bias(3D) and their gradients.
enum Projection { kQuery = 0, kKey = 1, kValue = 2 };
Tensor third(const Tensor& packed, Projection which) {
  const std::int64_t d = packed.shape[0] / 3;
  return packed.slice(which * d, (which + 1) * d);
}
Tensor weight(const Pool& s, Projection which) { return third(s.w.in_proj_weight->value, which); }
Tensor bias(const Pool& s, Projection which) { return third(s.w.in_proj_bias->value, which); }
Tensor dweight(const Pool& s, Projection which) { return third(s.w.in_proj_weight->grad, which); }
Tensor dbias(const Pool& s, Projection which) { return third(s.w.in_proj_bias->grad, which); }

// Per-head views: (1, K) rows and (K, 1) columns of a vector of D; (B', D) parts of mixed(B', H,
// D).
Matrix rows_by_head(const Pool& s, const Tensor& vector) {
  return stacked(vector.reshaped({s.heads, s.k}), s.heads);
}
Matrix columns_by_head(const Pool& s, const Tensor& vector) {
  return stacked(vector.reshaped({s.d, 1}), s.heads);
}
Matrix mixtures_by_head(const Pool& s, const Tensor& mixed) {
  return side_by_side(mixed.reshaped({s.batch, s.heads * s.d}), s.heads);
}

// q = W_q query + b_q; u_h = q_h W_k,h
void absorb_query(Backend& backend, const Pool& s) {
  if (!s.projected()) {
    backend.copy(s.u, s.w.query->value);
    return;
  }
  multiply(backend, s.w.query->value, transposed(weight(s, kQuery)), s.q,
           {.bias = bias(s, kQuery)});
  multiply(backend, rows_by_head(s, s.q), stacked(weight(s, kKey), s.heads), stacked(s.u, s.heads));
}

void pool_probabilities(Backend& backend, const Pool& s) {
  backend.pool_scores(s.u, s.x->value, {}, s.scale, s.p);
  const Shape rows{s.batch * s.heads, s.n};
  backend.softmax_dropout(s.p.reshaped(rows), s.key, s.dropped.reshaped(rows));
}

// out_h = mixed_h W_v,h^T + mass_h b_v,h
void mix_values(Tape& tape, const Pool& s) {
  Backend& backend = tape.backend();
  backend.pool_mix(s.dropped, s.x->value, s.mixed, s.projected() ? s.mass : Tensor{},
                   tape.scratch());
  if (!s.projected()) {
    backend.copy(s.out->value, s.mixed.reshaped({s.batch, s.d}));
    return;
  }
  const Matrix out = side_by_side(s.out->value, s.heads);
  multiply(backend, mixtures_by_head(s, s.mixed), transposed(stacked(weight(s, kValue), s.heads)),
           out);
  multiply(backend, side_by_side(s.mass, s.heads), rows_by_head(s, bias(s, kValue)), out,
           {.beta = 1.0F});
}

// From the output's gradient (B', D) to dmixed (B', H, D), dmass (B', H) and the gradients of the
// value projection.
void value_backward(Backend& backend, const Pool& s, const Tensor& dmixed, const Tensor& dmass) {
  if (!s.projected()) {
    backend.copy(dmixed, s.out->grad.reshaped({s.batch, 1, s.d}));
    backend.fill(dmass, 0.0F);
    return;
  }
  const Matrix dout = side_by_side(s.out->grad, s.heads);
  multiply(backend, dout, stacked(weight(s, kValue), s.heads), mixtures_by_head(s, dmixed));
  multiply(backend, dout, columns_by_head(s, bias(s, kValue)), side_by_side(dmass, s.heads));
  if (s.w.in_proj_weight->needs_grad) {
    multiply(backend, transposed(dout), mixtures_by_head(s, s.mixed),
             stacked(dweight(s, kValue), s.heads), {.beta = 1.0F});
  }
  if (s.w.in_proj_bias->needs_grad) {
    multiply(backend, transposed(dout), side_by_side(s.mass, s.heads),
             columns_by_head(s, dbias(s, kValue)), {.beta = 1.0F});
  }
}

// Computes dscores (B', H, N), already times the score scale.
void scores_backward(Backend& backend, const Pool& s, const Tensor& dmixed, const Tensor& dmass,
                     const Tensor& dscores) {
  backend.pool_scores(dmixed, s.x->value, dmass, s.scale, dscores);
  const Shape rows{s.batch * s.heads, s.n};
  backend.softmax_dropout_backward(s.p.reshaped(rows), dscores.reshaped(rows), s.key,
                                   dscores.reshaped(rows));
}

bool needs_grad(const PoolParameters& w) {
  return w.query->needs_grad ||
         (w.in_proj_weight != nullptr && any_needs_grad({w.in_proj_weight, w.in_proj_bias}));
}

// du (H, D) = sum over the batch of dscores x, then on to W_k, W_q, b_q and the query.
void query_backward(Tape& tape, const Pool& s, const Tensor& dscores) {
  if (!needs_grad(s.w)) return;
  Backend& backend = tape.backend();
  const Scratch du(tape.scratch(), {1, s.heads, s.d});
  backend.pool_mix(dscores, s.x->value, *du, {}, tape.scratch());
  if (!s.projected()) {
    backend.add_to(s.w.query->grad, *du);
    return;
  }
  const Scratch dq(tape.scratch(), {1, s.d});
  const Matrix du_by_head = stacked(*du, s.heads);
  multiply(backend, du_by_head, transposed(stacked(weight(s, kKey), s.heads)),
           rows_by_head(s, *dq));
  if (s.w.in_proj_weight->needs_grad) {
    multiply(backend, columns_by_head(s, s.q), du_by_head, stacked(dweight(s, kKey), s.heads),
             {.beta = 1.0F});
    multiply(backend, (*dq).reshaped({s.d, 1}), s.w.query->value, dweight(s, kQuery),
             {.beta = 1.0F});
  }
  if (s.w.in_proj_bias->needs_grad) backend.add_to(dbias(s, kQuery).reshaped({1, s.d}), *dq);
  if (s.w.query->needs_grad) {
    multiply(backend, *dq, weight(s, kQuery), s.w.query->grad, {.beta = 1.0F});
  }
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
  const std::int64_t n = x->value.shape[1];
  const DropoutKey key = tape.next_dropout(p, {leading, heads, n});
  CDT_CHECK(leading == batch || (leading == 1 && key.p <= 0.0F),
            "attention_pool: a shared x cannot have masks of its own per sample");
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
         .q = tape.saved({1, d}),
         .u = tape.saved({1, heads, d}),
         .p = tape.saved({leading, heads, n}),
         .dropped = {},
         .mixed = tape.saved({leading, heads, d}),
         .mass = tape.saved({leading, heads})};
  s.out = tape.output({leading, d}, x->needs_grad || needs_grad(w));
  saved = {s.q, s.u, s.mixed, s.mass};
  s.dropped = key.p > 0.0F ? tape.saved({leading, heads, n}) : s.p;
  if (key.p > 0.0F) saved.push_back(s.dropped);
  if (probabilities == nullptr) {
    saved.push_back(s.p);
  } else {
    *probabilities = s.p;  // lives until the step ends
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
