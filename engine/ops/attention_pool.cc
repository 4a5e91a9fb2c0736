#include "engine/ops/pool.h"

namespace cdt {

Var attention_pool(Tape& tape, Var x, const PoolParameters& w, std::int64_t heads, float p,
                   std::int64_t batch, Tensor* probabilities) {
  const OpScope op(tape, "attention_pool", {x, w.query, w.in_proj_weight, w.in_proj_bias});
  std::vector<Tensor> saved;
  const Pool s = pool_values(tape, x, w, heads, p, batch, probabilities, saved);
  tape.record(s.out, saved, [&tape, s] {
    const PoolGradient g(tape.scratch(), s);
    pool_backward(tape, s, g);
    if (!s.x->needs_grad) return;
    const GradTarget dx = tape.gradient(s.x);
    tape.backend().pool_outer(*g.dscores, s.u, s.dropped, *g.dmixed, {},
                              dx.accumulate ? dx.grad : Tensor{}, dx.grad);
  });
  return s.out;
}

}  // namespace cdt
