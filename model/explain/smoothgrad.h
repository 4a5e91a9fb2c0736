// SmoothGrad (Smilkov et al. 2017): the norm by bin of the mean gradient over noisy copies of the
// DNA input, x + noise * (max x - min x) * N(0, 1).
//
// Of n samples the even-numbered are one half, n1, the odd-numbered the other, n2. Where a score of
// m samples has variance v / m, the two halves' scores differ by one of v (1 / n1 + 1 / n2), and
// sqrt(n1 n2) / n times their difference has the variance v / n of the score of all n: half the
// difference for even n. What noise adds to a norm is the same in both, and not seen by it.
#pragma once

#include <cstdint>
#include <vector>

#include "model/explain/gradient_pass.h"
#include "model/explain/input_gradient.h"

namespace cdt {

struct SmoothGradOptions {
  int samples = 25;
  double noise = 0.1;      // standard deviation as a share of the input's range
  std::uint64_t seed = 0;  // sample s draws from RandomStream(seed, kSmoothGradStream + s)
};
constexpr std::uint32_t kSmoothGradStream = 0x53470000;

struct SmoothGrad {
  std::vector<float> scores;  // (L)
  /// Monte Carlo error: norm over bins of the scores' standard errors from two halves of the
  /// samples, over the norm of the scores; NaN of one sample, and of scores that are all 0.
  double error = 0;
};

/// Of each gene, in order, dna (1, L, dna_dim) outside the step arena. All enhancers see the same
/// draws. Two sums of float64 (L, D) per gene are held. Clears the tape.
std::vector<SmoothGrad> smoothgrad(GradientPass& pass, InputGradientNorm& norm, Tape& tape,
                                   const Tensor& dna, const std::vector<std::int32_t>& genes,
                                   const SmoothGradOptions& options);

}  // namespace cdt
