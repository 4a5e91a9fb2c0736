#include "tests/kernels/self_attended.h"

#include <gtest/gtest.h>

#include <optional>

#include "engine/arena.h"
#include "engine/random.h"
#include "tests/kernels/kernel_case.h"
#include "tests/kernels/kernel_test.h"

namespace cdt::test {

HeadsView columns(const Tensor& t, std::int64_t offset) {
  return {t.at(offset), t.cols(), t.shape[0] == 1 ? 0 : t.shape[1] * t.cols(), t.dtype};
}

Attention attention_of(const Sizes& s, const HeadsView& q, const HeadsView& k, const HeadsView& v,
                       const Tensor& out, const Tensor& log_sum_exp, const DropoutKey& key) {
  return {s.batch, s.heads, s.head_dim, s.queries, s.keys, q, k, v, out, log_sum_exp, {}, key};
}

SelfAttended self_attended(const Sizes& s, bool shared, Precision precision, bool keep) {
  const auto b = make_cuda_backend({.precision = precision, .recompute = false});
  Arena arena(*b, "tensors");
  const std::int64_t width = s.heads * s.head_dim;
  const Shape packed{shared ? 1 : s.batch, s.queries, 3 * width};
  RandomStream random(7, 1);
  const auto draw = [&](const Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(shape.count()));
    for (float& x : values) x = static_cast<float>(random.normal());
    const Tensor wide = arena.tensor(shape);
    b->upload(wide, values.data());
    const Tensor t = arena.tensor(shape, b->activations());
    b->cast(t, wide);
    return t;
  };
  const Tensor qkv = draw(packed);
  const Tensor dout = draw({s.batch, s.queries, width});
  const Tensor out = arena.tensor(dout.shape, dout.dtype);
  const Tensor gradient = arena.tensor(packed, qkv.dtype);
  Attention a = attention_of(s, columns(qkv, 0), columns(qkv, width), columns(qkv, 2 * width), out,
                             arena.tensor({packed[0], s.heads, s.queries}), some_key(0.3F));
  const std::int64_t kept = b->attention_kept_floats(a);
  EXPECT_GT(kept, 0);
  if (keep) a.kept = arena.tensor({kept});
  b->begin_step(a.dropout.step);
  const std::optional<std::uint64_t> before = launches();
  b->attention(a, arena);
  const std::optional<std::uint64_t> between = launches();
  b->attention_backward(
      {a, dout, columns(gradient, 0), columns(gradient, width), columns(gradient, 2 * width)},
      arena);
  SelfAttended result{to_host(*b, out), to_host(*b, gradient)};
  if (before) {
    result.forward = *between - *before;
    result.backward = *launches() - *between;
  }
  return result;
}

}  // namespace cdt::test
