#include "engine/error.h"
#include "engine/ops.h"

namespace cdt {
namespace {

// Columns [offset, offset + D) of x(1|B, N, C) as heads; a shared x has batch stride 0.
HeadsView heads_view(const Tensor& x, std::int64_t offset) {
  const std::int64_t row = x.cols();
  return {x.at(offset), row, x.shape[0] == 1 ? 0 : x.shape[1] * row, x.dtype};
}

// A gradient kernels can write: the variable's own on first touch, else scratch to be added.
class WrittenGradient {
 public:
  WrittenGradient(Tape& tape, Var v) : tape_(tape), target_(tape.gradient(v)) {
    const Tensor& grad = target_.grad;
    tensor_ = target_.accumulate ? tape.scratch().tensor(grad.shape, grad.dtype) : grad;
  }
  const Tensor& tensor() const { return tensor_; }
  void finish() {
    if (!target_.accumulate) return;
    tape_.backend().add_to(target_.grad, tensor_);
    tape_.scratch().give_back(tensor_);
  }

 private:
  Tape& tape_;
  GradTarget target_;
  Tensor tensor_;
};

// Queries, keys or values: the columns of a variable from `offset` on.
struct Packed {
  Var var;
  std::int64_t offset;
};

HeadsView gradient_view(const Tensor& grad, const Packed& packed) {
  return heads_view(grad, packed.offset);
}

// Gradients of q, k, v land in one tensor (self attention) or two; each is written once.
void attention_rule(Tape& tape, const Attention& forward, const Tensor& dout, const Packed& q,
                    const Packed& k, const Packed& v) {
  AttentionBackward b{.forward = forward,
                      .dout = dout,
                      .dq = {},
                      .dk = {},
                      .dv = {},
                      .cotangents = tape.cotangents()};
  if (q.var == k.var) {
    WrittenGradient g(tape, q.var);
    b.dq = gradient_view(g.tensor(), q);
    b.dk = gradient_view(g.tensor(), k);
    b.dv = gradient_view(g.tensor(), v);
    tape.backend().attention_backward(b, tape.scratch());
    g.finish();
    return;
  }
  const bool want_q = q.var->needs_grad;
  const bool want_kv = k.var->needs_grad;
  if (want_q && want_kv) {
    WrittenGradient gq(tape, q.var);
    WrittenGradient gkv(tape, k.var);
    b.dq = gradient_view(gq.tensor(), q);
    b.dk = gradient_view(gkv.tensor(), k);
    b.dv = gradient_view(gkv.tensor(), v);
    tape.backend().attention_backward(b, tape.scratch());
    gkv.finish();
    gq.finish();
  } else if (want_kv) {
    WrittenGradient g(tape, k.var);
    b.dk = gradient_view(g.tensor(), k);
    b.dv = gradient_view(g.tensor(), v);
    tape.backend().attention_backward(b, tape.scratch());
    g.finish();
  } else {
    WrittenGradient g(tape, q.var);
    b.dq = gradient_view(g.tensor(), q);
    tape.backend().attention_backward(b, tape.scratch());
    g.finish();
  }
}

Var attend(Tape& tape, const Packed& q, const Packed& k, const Packed& v, std::int64_t width,
           std::int64_t heads, float p, std::int64_t batch, Tensor* probabilities) {
  CDT_CHECK(heads > 0 && width % heads == 0, "attention: hidden size " + std::to_string(width) +
                                                 " is not a multiple of " + std::to_string(heads) +
                                                 " heads");
  expect_batch("attention", "q", q.var->value, batch);
  expect_batch("attention", "kv", k.var->value, batch);
  const DropoutKey key = tape.next_dropout(p);
  const bool shared = q.var->value.shape[0] == 1 && k.var->value.shape[0] == 1;
  const std::int64_t out_batch = shared && key.p <= 0.0F ? 1 : batch;
  const std::int64_t queries = q.var->value.shape[1];
  const std::int64_t keys = k.var->value.shape[1];
  const Var out =
      tape.output({out_batch, queries, width}, any_needs_grad({q.var, k.var}), q.var->value.dtype);
  const Tensor lse = tape.saved({shared ? 1 : out_batch, heads, queries});
  Attention a{.batch = out_batch,
              .heads = heads,
              .head_dim = width / heads,
              .queries = queries,
              .keys = keys,
              .q = heads_view(q.var->value, q.offset),
              .k = heads_view(k.var->value, k.offset),
              .v = heads_view(v.var->value, v.offset),
              .out = out->value,
              .log_sum_exp = lse,
              .probabilities = {},
              .dropout = key};
  if (probabilities != nullptr) {
    a.probabilities = tape.saved({out_batch, heads, queries, keys});
    *probabilities = a.probabilities;
  }
  tape.backend().attention(a, tape.scratch());
  a.probabilities = {};
  const bool together = out_batch == 1 && key.p <= 0.0F;
  tape.record(
      out, {lse}, [&tape, a, out, q, k, v] { attention_rule(tape, a, out->grad, q, k, v); },
      together ? CotangentOrder::kTogether : CotangentOrder::kOneByOne);
  return out;
}

}  // namespace

Var attention(Tape& tape, Var q, Var kv, std::int64_t heads, float p, std::int64_t batch,
              Tensor* probabilities) {
  const OpScope op(tape, "attention");
  const std::int64_t width = q->value.cols();
  expect_shape("attention", "kv", kv->value, with_last(kv->value.shape, 2 * width));
  return attend(tape, {q, 0}, {kv, 0}, {kv, width}, width, heads, p, batch, probabilities);
}

Var self_attention(Tape& tape, Var qkv, std::int64_t heads, float p, std::int64_t batch,
                   Tensor* probabilities) {
  const OpScope op(tape, "self_attention");
  const std::int64_t width = qkv->value.cols() / 3;
  expect_shape("self_attention", "qkv", qkv->value, with_last(qkv->value.shape, 3 * width));
  return attend(tape, {qkv, 0}, {qkv, width}, {qkv, 2 * width}, width, heads, p, batch,
                probabilities);
}

}  // namespace cdt
