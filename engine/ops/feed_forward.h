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
  Tensor pre;         // before the activation: (R, F), or empty: computed again where it is wanted
};

/// The op's value, into y(R, D); checks the shapes. p: of dropout. keep: `pre`.
FeedForward feed_forward_value(Tape& tape, Var x, const FeedForwardParameters& w, float p,
                               bool keep, const Tensor& y);

/// From dh (r, F), the gradient behind the activation of rows [first, first + r), which is
/// overwritten, to dx (r, D), empty where it is not wanted, and to the gradients of w1 and b1. pre
/// (r, F): of these rows. h (r, F), the activation once more, or empty: not wanted; may be pre.
void inner_backward(Tape& tape, const FeedForward& f, std::int64_t first, const Tensor& pre,
                    const Tensor& dh, const GradTarget& dx, const Tensor& h = {});

}  // namespace cdt
