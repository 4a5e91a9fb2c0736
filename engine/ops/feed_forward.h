// The building blocks of ops with a feed-forward net.
#pragma once

#include <cstdint>

#include "engine/ops.h"

namespace cdt {

struct FeedForward {
  FeedForwardParameters w;
  DropoutKey key;
  Tensor x;           // (R, D)
  std::int64_t part;  // rows processed at a time: only pre ever exists as a whole (R, F)
  Tensor pre;         // (R, F) pre-activation, or empty: recomputed when needed
};

/// Computes the op's value into y(R, D); checks the shapes. p: dropout probability. keep: store
/// `pre`.
FeedForward feed_forward_value(Tape& tape, Var x, const FeedForwardParameters& w, float p,
                               bool keep, const Tensor& y);

/// Propagates dh (r, F), the gradient of the activation h of rows [first, first + r), to dx (r, D)
/// (skipped if empty) and to the gradients of w1 and b1. Overwrites dh. pre (r, F): the
/// pre-activation of these rows. h (r, F) receives the recomputed activation unless empty; it may
/// be pre.
void inner_backward(Tape& tape, const FeedForward& f, std::int64_t first, const Tensor& pre,
                    const Tensor& dh, const GradTarget& dx, const Tensor& h = {});

}  // namespace cdt
