// One call of a kernel on the GPU and on the CPU backend, with equal inputs; all tensors are
// compared afterwards. Each GPU tensor has its own reservation, once flush with its end and once
// with its start, and the memory around it must not change.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/backend.h"

namespace cdt::test {

/// Odd, and around a warp, a group of mask columns and the model's width.
constexpr std::int64_t kWidths[] = {1, 31, 32, 33, 63, 65, 97, 767, 768, 769};

enum class Fill {
  kRandom,    // standard normal, as bfloat16 holds it
  kLarge,     // 8 times that
  kFine,      // standard normal, as float32 holds it
  kPositive,  // magnitudes of variances and scales
  kZero,
  kIndex,  // int32, 0 or 1
};

struct CaseTensor {
  Shape shape;
  /// Has the type of activations: float32 and, in a second run, bfloat16. Otherwise float32.
  bool activation = false;
  Fill fill = Fill::kRandom;
};

struct KernelCase {
  std::string name;
  std::vector<CaseTensor> tensors;
  std::function<void(Backend&, const std::vector<Tensor>&, Arena& scratch)> call;
  /// Results are rounded to bfloat16 a second time, like a stored sum before its norm is taken.
  double bfloat16_factor = 1.0;
  /// Options of the GPU backend. tf32 and three bfloat16 parts are for float32 tensors only.
  CudaOptions options{};
  /// Roundings to tf32 on the way. With none, the bound is that of float32: kRandom values are
  /// bfloat16 numbers, which a product in tf32 takes exactly.
  double tf32_roundings = 0.0;
  /// The bound of float32 results otherwise, in units of epsilon.
  double epsilons = 64.0;
};

/// Expects the tensors of both backends to agree after the call, in relative error of the norm per
/// tensor. float32: by the case's epsilons and roundings. bfloat16: half a unit in the last place,
/// 2^-8, times the factor.
void expect_agreement(const KernelCase& c);

/// A dropout key with probability `p`, of samples that are not the first of a batch.
DropoutKey some_key(float p);

}  // namespace cdt::test
