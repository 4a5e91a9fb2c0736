// Calls of attention for the tests of its kernels.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend.h"
#include "engine/kernel_types.h"

namespace cdt::test {

struct Sizes {
  std::int64_t batch, heads, head_dim, queries, keys;
};
/// Columns of t from `offset` on; the batch shares them if t has one sample.
HeadsView columns(const Tensor& t, std::int64_t offset);

Attention attention_of(const Sizes& s, const HeadsView& q, const HeadsView& k, const HeadsView& v,
                       const Tensor& out, const Tensor& log_sum_exp, const DropoutKey& key);

/// Output and gradient of self-attention, and the launches of both passes if they are counted;
/// `shared`: one sample for the batch. keep: the backward pass uses the forward pass's masks;
/// otherwise they are drawn again.
struct SelfAttended {
  std::vector<float> out, gradient;
  std::uint64_t forward = 0, backward = 0;
};
SelfAttended self_attended(const Sizes& s, bool shared, Precision precision, bool keep);

}  // namespace cdt::test
