// The building blocks of pooling with one learned query. It never forms keys or values in full: per
// head h
//   scores  = (W_k,h^T q_h) . x_i / sqrt(K)            the key bias cancels in the softmax
//   output  = W_v,h (sum_i a_i x_i) + b_v,h sum_i a_i  the sum is not 1 under dropout
// so both projections act on (H, D) instead of (B, N, D).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/ops.h"

namespace cdt {

struct Pool {
  std::int64_t batch, n, d, heads, k;  // B' N D H K; B' = leading dimension of x and of the output
  float scale;
  PoolParameters w;
  Var x, out;
  DropoutKey key;
  Tensor q;        // (1, D) projected query
  Tensor u;        // (1, H, D) query times the key projection, W_k,h^T q_h
  Tensor p;        // (B', H, N) softmax
  Tensor dropped;  // (B', H, N) after dropout; p itself without dropout
  Tensor mixed;    // (B', H, D) sum_i a_i x_i
  Tensor mass;     // (B', H) sum_i a_i

  bool projected() const { return w.in_proj_weight != nullptr; }
};

/// Computes the op's value into `out`; checks the shapes. Sets `saved` to what a gradient rule
/// reads. probabilities: as in attention_pool().
Pool pool_values(Tape& tape, Var x, const PoolParameters& w, std::int64_t heads, float p,
                 std::int64_t batch, Tensor* probabilities, std::vector<Tensor>& saved);

/// The factors of the gradient of x, a matrix of rank 2 H at most:
/// dx_i = sum over h of dscores(h, i) u_h + dropped(h, i) dmixed_h.
struct PoolGradient {
  PoolGradient(Arena& scratch, const Pool& s)
      : dmixed(scratch, {s.batch, s.heads, s.d}), dscores(scratch, {s.batch, s.heads, s.n}) {}
  Scratch dmixed;
  Scratch dscores;  // already times the score scale
};

/// Fills g from the gradient of s.out, and adds to the gradients of the parameters.
void pool_backward(Tape& tape, const Pool& s, const PoolGradient& g);

}  // namespace cdt
