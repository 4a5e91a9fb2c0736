// The head of the gene readout. Its first layer reads [cell; rna; protein] of every token. Written
// as three products, one per block of columns, it needs no (B N, 3D) matrix, and the cell's product
// is computed once per sample.
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/product.h"

namespace cdt {
namespace {

struct GeneHead {
  std::int64_t batch, n, d;  // B N D
  Var cell, rna, protein;    // (B, D), (B, N, D), (B, N, D)
  FeedForwardParameters w;
  DropoutKey key;
  Tensor pre;  // (B, N, D), before the GELU

  Shape scores() const { return {batch, 1, n}; }
  Shape vectors() const { return {batch, 1, d}; }
  Dtype dtype() const { return pre.dtype; }
  /// The columns of w1, or of its gradient, that read the cell (0), rna (1) or protein (2).
  Matrix block(const Tensor& w1, std::int64_t which) const { return columns(w1, which * d, d); }
};

/// A scratch tensor with one value in all places.
class Filled : public Scratch {
 public:
  Filled(Tape& tape, const Shape& shape, float value) : Scratch(tape.scratch(), shape) {
    tape.backend().fill(**this, value);
  }
};

// pre = rna W_r^T + protein W_p^T + (cell W_c^T + b1), the last the same for all tokens of a sample
void first_layer(Tape& tape, const GeneHead& s) {
  Backend& backend = tape.backend();
  const Tensor w1 = weight_as(s.w.w1, s.dtype());
  multiply(backend, s.rna->value, transposed(s.block(w1, 1)), s.pre);
  multiply(backend, s.protein->value, transposed(s.block(w1, 2)), s.pre, {.beta = 1.0F});
  const Scratch of_cell(tape.scratch(), s.vectors());
  multiply(backend, s.cell->value, transposed(s.block(s.w.w1->value, 0)),
           (*of_cell).reshaped({s.batch, s.d}), {.bias = s.w.b1->value});
  const Filled ones(tape, s.scores(), 1.0F), zeros(tape, {1, 1, s.d}, 0.0F);
  backend.pool_outer(*ones, *zeros, *ones, *of_cell, {}, s.pre, s.pre);
}

void second_layer(Tape& tape, const GeneHead& s, const Tensor& out) {
  Backend& backend = tape.backend();
  const Scratch hidden(tape.scratch(), s.pre.shape, s.dtype());
  const Scratch bias(tape.scratch(), {s.batch, 1});
  backend.gelu_dropout(s.pre, s.key, 0, *hidden);
  backend.put_columns(s.w.b2->value.reshaped({1, 1}), 0, *bias);
  backend.pool_scores(s.w.w2->value.reshaped({1, 1, s.d}), *hidden, *bias, 1.0F,
                      out.reshaped(s.scores()));
}

// Computes dpre (B, N, D) from dout (B, 1, N), and the gradients of w2 and b2.
void second_layer_backward(Tape& tape, const GeneHead& s, const Tensor& dout, const Tensor& dpre) {
  Backend& backend = tape.backend();
  const Filled zeros(tape, s.vectors(), 0.0F);
  backend.pool_outer(dout, s.w.w2->value.reshaped({1, 1, s.d}), dout, *zeros, {}, {}, dpre);
  const Scratch hidden(tape.scratch(), s.pre.shape, s.dtype());
  const bool wanted = s.w.w2->needs_grad;
  backend.gelu_dropout_backward(s.pre, dpre, s.key, 0, dpre, wanted ? *hidden : Tensor{}, {});
  if (wanted) {
    const Scratch dw2(tape.scratch(), {1, 1, s.d});
    backend.pool_mix(dout, *hidden, *dw2, {}, tape.scratch());
    backend.add_to(s.w.w2->grad, (*dw2).reshaped({1, s.d}));
  }
  if (s.w.b2->needs_grad) {
    backend.column_sum(dout.reshaped({s.batch * s.n, 1}), s.w.b2->grad, true);
  }
}

// dx (+)= dpre W_x and dW_x += dpre^T x for a block of the first layer and what it reads
void block_backward(Tape& tape, const GeneHead& s, const Tensor& dpre, Var x, std::int64_t which) {
  Backend& backend = tape.backend();
  if (s.w.w1->needs_grad) {
    multiply(backend, transposed(dpre), x->value, s.block(s.w.w1->grad, which), {.beta = 1.0F});
  }
  if (!x->needs_grad) return;
  const GradTarget dx = tape.gradient(x);
  multiply(backend, dpre, s.block(weight_as(s.w.w1, dpre.dtype), which), dx.grad,
           {.beta = dx.beta()});
}

void first_layer_backward(Tape& tape, const GeneHead& s, const Tensor& dpre) {
  block_backward(tape, s, dpre, s.rna, 1);
  block_backward(tape, s, dpre, s.protein, 2);
  if (!any_needs_grad({s.cell, s.w.w1, s.w.b1})) return;
  Backend& backend = tape.backend();
  const Scratch of_cell(tape.scratch(), s.vectors());  // the sum of dpre over the tokens
  {
    const Filled ones(tape, s.scores(), 1.0F);
    backend.pool_mix(*ones, dpre, *of_cell, {}, tape.scratch());
  }
  const Tensor dcell = (*of_cell).reshaped({s.batch, s.d});
  if (s.w.b1->needs_grad) backend.column_sum(dcell, s.w.b1->grad, true);
  block_backward(tape, s, dcell, s.cell, 0);
}

}  // namespace

Var gene_head(Tape& tape, Var cell, Var rna, Var protein, const FeedForwardParameters& w, float p) {
  const OpScope op(tape, "gene_head", {cell, rna, protein, w.w1, w.b1, w.w2, w.b2});
  const Shape& tokens = rna->value.shape;  // (B, N, D)
  const std::int64_t d = tokens[2];
  expect_shape("gene_head", "protein", protein->value, tokens);
  expect_shape("gene_head", "cell", cell->value, {tokens[0], d});
  expect_shape("gene_head", "w1", w.w1->value, {d, 3 * d});
  expect_shape("gene_head", "b1", w.b1->value, {d});
  expect_shape("gene_head", "w2", w.w2->value, {1, d});
  expect_shape("gene_head", "b2", w.b2->value, {1});
  const DropoutKey key = tape.next_dropout(p, tokens);
  const Var y = tape.output({tokens[0], tokens[1]},
                            any_needs_grad({cell, rna, protein, w.w1, w.b1, w.w2, w.b2}));
  const GeneHead s{
      tokens[0], tokens[1], d, cell, rna, protein, w, key, tape.saved(tokens, rna->value.dtype)};
  first_layer(tape, s);
  second_layer(tape, s, y->value);
  tape.record(y, {s.pre}, [&tape, s, y] {
    const Scratch dpre(tape.scratch(), s.pre.shape, s.dtype());
    second_layer_backward(tape, s, y->grad.reshaped(s.scores()), *dpre);
    first_layer_backward(tape, s, *dpre);
  });
  return y;
}

Var take_token(Tape& tape, Var x, const Tensor& index) {
  const OpScope op(tape, "take_token", {x, index});
  const Shape& shape = x->value.shape;  // (1|B, N, D)
  const std::int64_t samples = shape[0], n = shape[1], d = shape[2];
  const std::int64_t batch = index.shape[0];
  expect_shape("take_token", "index", index, {batch});
  expect_batch("take_token", "x", x->value, batch);
  CDT_CHECK(index.dtype == Dtype::kInt32, "take_token: an index is int32");
  Backend& backend = tape.backend();
  const std::int64_t each = batch / samples;             // tokens taken of each sample of x
  const Tensor chosen = tape.saved({samples, each, n});  // 1 at the token, else 0
  {
    const Filled ones(tape, {batch}, 1.0F);
    backend.select_backward(*ones, index, chosen.reshaped({batch, n}));
  }
  const Var y = tape.output({batch, d}, x->needs_grad);
  backend.pool_mix(chosen, x->value, y->value.reshaped({samples, each, d}), {}, tape.scratch());
  tape.record(y, {chosen}, [&tape, x, y, chosen, samples, each, d] {
    const Filled zeros(tape, {1, each, d}, 0.0F);
    const GradTarget dx = tape.gradient(x);
    tape.backend().pool_outer(chosen, *zeros, chosen, y->grad.reshaped({samples, each, d}), {},
                              dx.accumulate ? dx.grad : Tensor{}, dx.grad);
  });
  return y;
}

}  // namespace cdt
