// The arithmetic and the traffic of kernels, for profiles: what the mathematics asks for, whatever
// way a backend takes. Sizes as in engine/backend.h.
#pragma once

#include <initializer_list>

#include "engine/backend.h"
#include "engine/profiler.h"

namespace cdt {

/// Element-wise work: every tensor read or written once; empty ones count nothing.
Work traffic(std::initializer_list<Tensor> tensors);

/// 2 m n k flop for each problem; factors that the batch shares are read once.
Work product_work(const Gemm& g);

/// Two products of 2 K flop for every query and key: scores, once for all samples if these share
/// queries and keys, and the mix of values.
Work attention_work(const Attention& a);

/// The scores again, the gradients of the probabilities, and one product each for dq, dk and dv as
/// far as they are wanted; what the samples share is formed once.
Work attention_backward_work(const AttentionBackward& a);

/// `products` multiply-adds for every sample, row of coefficients (B, H, N) and element of x(..,
/// C).
Work pool_work(const Tensor& coefficients, const Tensor& x, int products,
               std::initializer_list<Tensor> others);

Work clip_work(std::span<const AdamWTensors> parameters, const Tensor& clip);
Work adamw_work(std::span<const AdamWTensors> parameters);

}  // namespace cdt
