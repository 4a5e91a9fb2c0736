// Matrix products through cuBLASLt. What a shape needs (descriptors, algorithm) is made once and
// kept. The algorithm is the first the library's heuristic names, never one that adds in place, so
// that one machine gives the same bits on every run. Where it names none, a product in tf32 is one
// in float32, and what is left is for plain_product.h.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "engine/backend.h"

namespace cdt {

/// Sums split over k are added in a pass of their own, in a fixed order.
inline constexpr std::uint32_t kGemmReductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
/// Bytes of alignment an algorithm may count on at most: what a thread loads at once.
inline constexpr std::uint32_t kGemmAlignment = 16;

class GemmPlans {
 public:
  GemmPlans(Precision precision, cudaStream_t stream);
  ~GemmPlans();
  GemmPlans(const GemmPlans&) = delete;
  GemmPlans& operator=(const GemmPlans&) = delete;

  /// False where the library has no algorithm for the product; then nothing was done.
  bool run(const Gemm& g);

 private:
  struct Plan {
    cublasLtMatmulDesc_t operation = nullptr;
    cublasLtMatrixLayout_t b = nullptr, a = nullptr, c = nullptr;
    std::optional<cublasLtMatmulAlgo_t> algorithm;  // none: the library has none
  };
  /// Everything of a product but its addresses; of those the alignment.
  using Key = std::array<std::int64_t, 20>;

  static Key key_of(const Gemm& g);
  Plan make_plan(const Gemm& g, const Key& key);
  std::optional<cublasLtMatmulAlgo_t> choose_algorithm(const Gemm& g, const Key& key,
                                                       const Plan& plan);

  Precision precision_;
  cudaStream_t stream_;
  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::map<Key, Plan> plans_;
};

}  // namespace cdt
