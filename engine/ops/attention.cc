#include <vector>

#include "engine/error.h"
#include "engine/ops.h"

namespace cdt {
namespace {

// Views the heads in the columns of x(1|B, N, C) from `offset` on; a shared x has batch stride 0.
// Null if x is empty.
HeadsView heads_view(const Tensor& x, std::int64_t offset) {
  if (x.empty()) return {};
  const std::int64_t row = x.cols();
  return {x.at(offset), row, x.shape[0] == 1 ? 0 : x.shape[1] * row, x.dtype};
}

// Queries, keys or values: the columns of a variable starting at `offset`.
struct Packed {
  Var var;
  std::int64_t offset;
};

Var attend(Tape& tape, const Packed& q, const Packed& k, const Packed& v, std::int64_t width,
           std::int64_t heads, float p, std::int64_t batch, Tensor* probabilities) {
  CDT_CHECK(heads > 0 && width % heads == 0, "attention: hidden size " + std::to_string(width) +
                                                 " is not a multiple of " + std::to_string(heads) +
                                                 " heads");
  expect_batch("attention", "q", q.var->value, batch);
  expect_batch("attention", "kv", k.var->value, batch);
  const std::int64_t queries = q.var->value.shape[1];
  const std::int64_t keys = k.var->value.shape[1];
  const DropoutKey key = tape.next_dropout(p, {batch, heads, queries, keys});
  const bool shared = q.var->value.shape[0] == 1 && k.var->value.shape[0] == 1;
  const std::int64_t out_batch = shared && key.p <= 0.0F ? 1 : batch;
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
  std::vector<Tensor> saved{lse};
  const std::int64_t kept = out->needs_grad ? tape.backend().attention_kept_floats(a) : 0;
  if (kept > 0) saved.push_back(a.kept = tape.saved({kept}));
  tape.backend().attention(a, tape.scratch());
  a.probabilities = {};
  const bool together = out_batch == 1 && key.p <= 0.0F;
  const auto rule = [&tape, a, out, q, k, v] {
    const auto write = [&](const Tensor& dq, const Tensor& dkv) {
      tape.backend().attention_backward({.forward = a,
                                         .dout = out->grad,
                                         .dq = heads_view(dq, q.offset),
                                         .dk = heads_view(dkv, k.offset),
                                         .dv = heads_view(dkv, v.offset),
                                         .cotangents = tape.cotangents()},
                                        tape.scratch());
    };
    tape.write_gradient(q.var, [&](const Tensor& dq) {
      if (q.var == k.var) return write(dq, dq);
      tape.write_gradient(k.var, [&](const Tensor& dkv) { write(dq, dkv); });
    });
  };
  tape.record(out, saved, rule, together ? CotangentOrder::kTogether : CotangentOrder::kOneByOne);
  return out;
}

}  // namespace

Var attention(Tape& tape, Var q, Var kv, std::int64_t heads, float p, std::int64_t batch,
              Tensor* probabilities) {
  const OpScope op(tape, "attention", {q, kv});
  const std::int64_t width = q->value.cols();
  expect_shape("attention", "kv", kv->value, with_last(kv->value.shape, 2 * width));
  return attend(tape, {q, 0}, {kv, 0}, {kv, width}, width, heads, p, batch, probabilities);
}

Var self_attention(Tape& tape, Var qkv, std::int64_t heads, float p, std::int64_t batch,
                   Tensor* probabilities) {
  const OpScope op(tape, "self_attention", {qkv});
  const std::int64_t width = qkv->value.cols() / 3;
  expect_shape("self_attention", "qkv", qkv->value, with_last(qkv->value.shape, 3 * width));
  return attend(tape, {qkv, 0}, {qkv, width}, {qkv, 2 * width}, width, heads, p, batch,
                probabilities);
}

}  // namespace cdt
