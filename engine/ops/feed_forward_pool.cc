#include <memory>

#include "engine/error.h"
#include "engine/ops/feed_forward.h"
#include "engine/ops/pool.h"
#include "engine/product.h"

// Pooling gives token i the gradient  dz_i = sum over k of a_ki r_k,  with K = 2 H rows r_k
// (pool.h). A layer norm before it, with n_i the normalised token i and s_i = 1 / sqrt(var + eps),
// gives
//   dx_i = sum over k of b_ki v_k + o_i n_i,   v_k = gamma r_k minus its mean,   b_ki = s_i a_ki,
//                                              o_i = -sum over k of b_ki (v_k . n_i) / D
// and a product with W gives  dx_i W = sum over k of b_ki (v_k W) + o_i (n_i W).  Only the K rows
// v_k W depend on the cotangent; n W does not and is computed once.
namespace cdt {
namespace {

struct Tail {
  Var y;
  Var gamma;
  FeedForward ffn;
  Pool pool;
  Tensor normal;     // (1, N, D): y + ffn(y); the first backward pass normalises it
  Tensor stats;      // (N, 2)
  Tensor normal_w2;  // (1, N, F), filled by the first backward pass
  std::shared_ptr<bool> prepared = std::make_shared<bool>(false);
};

// out(R, F) = x(R, D) w2
void times_w2(Backend& backend, const Tail& s, const Tensor& x, const Tensor& out) {
  multiply(backend, x, weight_as(s.ffn.w.w2, x.dtype), out);
}

// Computes what all gradients share, n and n W, in the first backward pass.
void prepare(Tape& tape, const Tail& s) {
  if (*s.prepared) return;
  const Scratch one(tape.scratch(), {s.normal.cols()});
  const Scratch zero(tape.scratch(), {s.normal.cols()});
  tape.backend().fill(*one, 1.0F);
  tape.backend().fill(*zero, 0.0F);
  tape.backend().layer_norm(s.normal, *one, *zero, s.normal, s.stats);
  times_w2(tape.backend(), s, s.normal, s.normal_w2);
  *s.prepared = true;
}

/// v, b and o of the formulas above; the rows r_k are those of u, then those of dmixed.
struct NormFactors {
  NormFactors(Tape& tape, const Tail& s, const PoolGradient& g)
      : heads(s.pool.heads),
        n(s.pool.n),
        v(tape.scratch(), {2 * heads, s.pool.d}),
        b(tape.scratch(), {2 * heads, n}),
        own(tape.scratch(), {1, n}) {
    Backend& backend = tape.backend();
    const Shape rows{heads, s.pool.d};
    const Scratch slope(tape.scratch(), {1, 2 * heads, n});  // v_k . n_i / D
    backend.scale_and_centre(s.pool.u.reshaped(rows), s.gamma->value, (*v).slice(0, heads));
    backend.scale_and_centre((*g.dmixed).reshaped(rows), s.gamma->value,
                             (*v).slice(heads, 2 * heads));
    backend.pool_scores((*v).reshaped({1, 2 * heads, s.pool.d}), s.normal, {},
                        1.0F / static_cast<float>(s.pool.d), *slope);
    backend.norm_factors(*g.dscores, s.pool.dropped, *slope, s.stats, *b, *own);
  }

  /// out(1, N, C) = sum over k of b_ki rows(K, C)_k + o_i base(1, N, C)_i
  void apply(Backend& backend, const Tensor& rows, const Tensor& base, const Tensor& out) const {
    const Shape coefficients{1, heads, n};
    const Shape half{1, heads, rows.cols()};
    backend.pool_outer((*b).slice(0, heads).reshaped(coefficients),
                       rows.slice(0, heads).reshaped(half),
                       (*b).slice(heads, 2 * heads).reshaped(coefficients),
                       rows.slice(heads, 2 * heads).reshaped(half), *own, base, out);
  }

  std::int64_t heads, n;
  Scratch v, b, own;
};

void tail_rule(Tape& tape, const Tail& s) {
  Backend& backend = tape.backend();
  prepare(tape, s);
  const PoolGradient g(tape.scratch(), s.pool);
  pool_backward(tape, s.pool, g);
  const NormFactors factors(tape, s, g);
  tape.write_gradient(s.y,
                      [&](const Tensor& dy) { factors.apply(backend, *factors.v, s.normal, dy); });
  const std::int64_t inner = s.normal_w2.cols();
  const Scratch v_w2(tape.scratch(), {2 * factors.heads, inner});
  times_w2(backend, s, *factors.v, *v_w2);
  const Scratch dh(tape.scratch(), s.normal_w2.shape, s.normal_w2.dtype);
  factors.apply(backend, *v_w2, s.normal_w2, *dh);
  inner_backward(tape, s.ffn, 0, s.ffn.pre, (*dh).reshaped({factors.n, inner}),
                 {tape.gradient(s.y).grad.reshaped({factors.n, s.pool.d}), true});
}

}  // namespace

PooledTokens feed_forward_pool(Tape& tape, Var y, const FeedForwardParameters& ffn, Var gamma,
                               Var beta, const PoolParameters& pool, std::int64_t heads,
                               Tensor* probabilities) {
  const OpScope op(tape, "feed_forward_pool",
                   {y, ffn.w1, ffn.b1, ffn.w2, ffn.b2, gamma, beta, pool.query, pool.in_proj_weight,
                    pool.in_proj_bias});
  CDT_CHECK(!tape.training() && y->value.shape[0] == 1, "feed_forward_pool: one sample, in eval");
  CDT_CHECK(!any_needs_grad({ffn.w1, ffn.b1, ffn.w2, ffn.b2, gamma, beta, pool.query}),
            "feed_forward_pool: its weights are frozen");
  Backend& backend = tape.backend();
  const Dtype dtype = y->value.dtype;
  const std::int64_t n = y->value.shape[1];
  const std::int64_t d = y->value.cols();
  expect_shape("feed_forward_pool", "gamma", gamma->value, {d});
  expect_shape("feed_forward_pool", "beta", beta->value, {d});
  const Tensor sum = tape.saved({1, n, d}, dtype);
  const Tensor stats = tape.saved({n, 2});
  const FeedForward f = feed_forward_value(tape, y, ffn, 0.0F, y->needs_grad, sum.reshaped({n, d}));
  const Var tokens = tape.output({1, n, d}, false, dtype);
  backend.residual_dropout_norm(y->value, kNoDropout, sum, gamma->value, beta->value, tokens->value,
                                stats);
  std::vector<Tensor> saved;
  const Pool pooled = pool_values(tape, tokens, pool, heads, 0.0F, 1, probabilities, saved);
  pooled.out->needs_grad = y->needs_grad;
  saved.insert(saved.end(), {sum, stats});
  if (y->needs_grad) saved.push_back(f.pre);
  Tensor normal_w2;
  if (y->needs_grad) saved.push_back(normal_w2 = tape.saved({1, n, f.pre.cols()}, dtype));
  tape.record(pooled.out, saved, [&tape, s = Tail{y, gamma, f, pooled, sum, stats, normal_w2}] {
    tail_rule(tape, s);
  });
  return {tokens, pooled.out};
}

}  // namespace cdt
