// SmoothGrad (Smilkov et al. 2017): the norm by bin of the mean gradient over noisy copies of the
// DNA input, x + noise * (max x - min x) * N(0, 1).
#pragma once

#include <cstdint>
#include <vector>

#include "model/gradient_pass.h"
#include "model/input_gradient.h"

namespace cdt {

struct SmoothGradOptions {
  int samples = 25;
  double noise = 0.1;      // standard deviation as a share of the input's range
  std::uint64_t seed = 0;  // sample s draws from RandomStream(seed, kSmoothGradStream + s)
};
constexpr std::uint32_t kSmoothGradStream = 0x53470000;

/// L scores of each gene, in order, dna (1, L, dna_dim) outside the step arena. All enhancers see
/// the same draws. Clears the tape.
std::vector<std::vector<float>> smoothgrad(GradientPass& pass, InputGradientNorm& norm, Tape& tape,
                                           const Tensor& dna,
                                           const std::vector<std::int32_t>& genes,
                                           const SmoothGradOptions& options);

}  // namespace cdt
