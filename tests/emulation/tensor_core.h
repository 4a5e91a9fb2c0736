// The sums of a tensor core, as experiments on NVIDIA's have shown them (Fasi, Higham, Mikaitis,
// Pranesh 2021, PeerJ Computer Science 7:e330). Products are exact. Those of one step and the
// accumulator are aligned to the largest of them, and what then lies below the last place of its
// float32 is cut off: towards zero, without guard bits. So is the sum. Later kinds keep a bit or
// two more while they align: this is the worst of them.
#pragma once

#include <array>

namespace cdt::emulation {

inline constexpr int kTensorCoreStep = 16;  // products of bfloat16 added at a time

/// No lane of the block that begins has come to a product.
void begin_products();

/// c + the sum of the products
float tensor_core_sum(float c, const std::array<double, kTensorCoreStep>& products);

}  // namespace cdt::emulation
