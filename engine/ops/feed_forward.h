// The feed-forward net in the parts of which ops are made.
#pragma once

#include <cstdint>

#include "engine/ops.h"

namespace cdt {

struct FeedForward {
  FeedForwardParameters w;
  DropoutKey key;
  Tensor x;           // (R, D)
  std::int64_t part;  // rows worked on at a time: the (R, F) activations never exist in full, but:
  Tensor pre;         // before the activation: (R, F); of `part` rows where no rule reads it
};

/// The op's value, into y(R, D); checks the shapes. p: of dropout. for_rule: `pre` in full.
FeedForward feed_forward_value(Tape& tape, Var x, const FeedForwardParameters& w, float p,
                               bool for_rule, const Tensor& y);

/// From dh (r, F), the gradient behind the activation of rows [first, first + r), which is
/// overwritten, to dx (r, D), empty where it is not wanted, and to the gradients of w1 and b1.
/// h (r, F), the activation once more, or empty: not wanted.
void inner_backward(Tape& tape, const FeedForward& f, std::int64_t first, const Tensor& dh,
                    const GradTarget& dx, const Tensor& h = {});

}  // namespace cdt
