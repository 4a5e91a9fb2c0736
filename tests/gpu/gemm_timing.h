// Times cuBLASLt's algorithms on one of the engine's products, issued again exactly: the same
// addresses, strides, epilogue and alignment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cuda/gemm.h"
#include "tests/gpu/cuda_timing.h"

namespace cdt::measure {

class OperandFiller;

struct TimedAlgorithm {
  std::optional<cublasLtMatmulAlgo_t> algorithm;  // none: the engine's plain kernel
  double us = 0;
};

/// {"id": .., "tile": .., "split_k": .., "reduction": ..}, as far as the library reports them.
std::string algorithm_as_json(const std::optional<cublasLtMatmulAlgo_t>& chosen);

/// Floating-point operations of a product.
double flop_of(const Gemm& g);
/// TFLOP/s of a product that takes this many microseconds.
double tflops(const Gemm& g, double us);

class PlanTimer {
 public:
  PlanTimer(const GemmPlans& plans, const GemmPlans::Plan& plan) : plans_(plans), plan_(plan) {}

  /// Microseconds with the engine's choice: the algorithm it uses, or its plain kernel.
  double engine();
  /// The fastest of `most` algorithms with these reductions, the engine's own, and those timed
  /// before.
  TimedAlgorithm best(std::uint32_t reductions, int most);
  /// The algorithm that the engine would use with these reductions.
  TimedAlgorithm first(std::uint32_t reductions);
  /// True if the algorithm leaves the same bits each time.
  bool repeats(const std::optional<cublasLtMatmulAlgo_t>& algorithm, OperandFiller* filler) const;

 private:
  /// Each algorithm is timed once.
  double time(const cublasLtMatmulAlgo_t& algorithm);

  const GemmPlans& plans_;
  const GemmPlans::Plan& plan_;
  std::vector<TimedAlgorithm> timed_;
};

/// Fills the inputs of a product with random numbers. After a step the memory holds arbitrary data,
/// which read in another type may even be NaN.
class OperandFiller {
 public:
  void fill(const Gemm& g, cudaStream_t stream);

 private:
  const DeviceArray& numbers(Dtype dtype);
  void fill(const Operand& x, std::int64_t elements, cudaStream_t stream);

  std::optional<DeviceArray> floats_, narrow_;
};

}  // namespace cdt::measure
