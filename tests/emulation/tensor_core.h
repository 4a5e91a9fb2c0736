// How a tensor core adds, as experiments on NVIDIA's have shown (Fasi, Higham, Mikaitis, Pranesh
// 2021, PeerJ Computer Science 7:e330). Products are exact. Those of one step and the accumulator
// are aligned to the largest of them, and whatever lies below the last place of its float32 is
// truncated towards zero, without guard bits. The sum is truncated too. Later architectures keep a
// bit or two more while aligning: this is the least accurate of them.
#pragma once

#include <array>

namespace cdt::emulation {

inline constexpr int kTensorCoreStep = 16;  // products of bfloat16 added at a time

/// Called when a block begins: no lane has reached a product yet.
void begin_products();

/// c + the sum of the products
float tensor_core_sum(float c, const std::array<double, kTensorCoreStep>& products);

}  // namespace cdt::emulation
