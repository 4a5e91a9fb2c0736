// One call of a kernel on the GPU and on the CPU backend, with equal inputs; all tensors are
// compared afterwards. The GPU's lie each in a reservation of its own, once flush with its end and
// once with its start, and what is beside them must stay as it was.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/backend.h"

namespace cdt::test {

/// Odd, around a warp, a group of mask columns and the model's width.
constexpr std::int64_t kWidths[] = {1, 31, 32, 33, 63, 65, 97, 767, 768, 769};

enum class Fill {
  kRandom,    // standard normal, as bfloat16 holds it
  kLarge,     // 8 times that
  kFine,      // standard normal, as float32 holds it
  kPositive,  // of the size of variances and scales
  kZero,
  kIndex,  // int32, 0 or 1
};

struct CaseTensor {
  Shape shape;
  /// Of the type of activations: float32 and, in a second run, bfloat16. Else float32.
  bool activation = false;
  Fill fill = Fill::kRandom;
};

struct KernelCase {
  std::string name;
  std::vector<CaseTensor> tensors;
  std::function<void(Backend&, const std::vector<Tensor>&, Arena& scratch)> call;
  /// Results go through a second bfloat16 rounding, as a stored sum does before its norm is taken.
  double bfloat16_factor = 1.0;
  /// Of the GPU's backend. In tf32 and in three bfloat16 parts for float32 tensors only.
  CudaOptions options{};
  /// Roundings to tf32 on the way. Without any as near as in float32: kRandom are bfloat16
  /// numbers, which a product in tf32 takes as they are.
  double tf32_roundings = 0.0;
  /// Else what float32 results may differ by, in units of its epsilon.
  double epsilons = 64.0;
};

/// Expects the tensors of both backends to agree after the call, per tensor in relative error of
/// the norm. float32: by epsilons and roundings of the case. bfloat16: half a unit in the last
/// place, 2^-8, times the factor.
void expect_agreement(const KernelCase& c);

/// A dropout key of `p`.
DropoutKey some_key(float p);

}  // namespace cdt::test
