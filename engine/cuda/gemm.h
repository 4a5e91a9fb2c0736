// Matrix products with cuBLASLt. The descriptors and algorithm of a shape are created once and
// kept. The algorithm is the heuristic's first suggestion, so a given machine gives the same bits
// on every run. If there is none, a tf32 product falls back to float32, and anything left to
// plain_product().
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "engine/backend.h"

namespace cdt {

/// How the library may combine split-k partial sums: in a separate pass, in float32.
inline constexpr std::uint32_t kOwnPass = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
inline constexpr std::uint32_t kAnyScheme = CUBLASLT_REDUCTION_SCHEME_MASK;
/// The schemes allowed by CudaOptions::any_reduction. Only for float32 results: others would round
/// the partial sums.
inline std::uint32_t any_reduction(const Gemm& g) {
  return g.c.dtype == Dtype::kFloat32 ? kAnyScheme : kOwnPass;
}
/// Largest alignment in bytes that an algorithm may assume: the width of one thread's load.
inline constexpr std::uint32_t kGemmAlignment = 16;

class GemmPlans {
 public:
  /// The descriptors of a product, created once, and the addresses of the last call.
  struct Plan {
    cublasLtMatmulDesc_t operation = nullptr;
    cublasLtMatrixLayout_t b = nullptr, a = nullptr, c = nullptr;
    std::optional<cublasLtMatmulAlgo_t> algorithm;  // empty: the library has none
    Gemm last;
    std::int64_t calls = 0;
  };
  /// Everything that identifies a product: all but its addresses, of which only the alignment
  /// counts.
  using Key = std::array<std::int64_t, 20>;
  enum KeyPart { kAlignA = 14, kAlignB, kAlignC, kAlignBias };

  /// any_reduction: see CudaOptions.
  GemmPlans(Precision precision, bool any_reduction, cudaStream_t stream);
  ~GemmPlans();
  GemmPlans(const GemmPlans&) = delete;
  GemmPlans& operator=(const GemmPlans&) = delete;

  /// Runs the product; returns false, having done nothing, if the library has no algorithm for it.
  bool run(const Gemm& g);

  // for measurements
  const std::map<Key, Plan>& plans() const { return plans_; }
  cudaStream_t stream() const { return stream_; }
  /// Returns up to `most` algorithms for the product, best first by the library's heuristic;
  /// `reductions`: the schemes it may use for split-k partial sums.
  std::vector<cublasLtMatmulAlgo_t> suggestions(const Plan& plan, std::uint32_t reductions,
                                                int most) const;
  /// Repeats the plan's last product with one of the suggestions().
  void issue(const Plan& plan, const cublasLtMatmulAlgo_t& algorithm) const;

 private:
  static Key key_of(const Gemm& g);
  Plan make_plan(const Gemm& g) const;

  Precision precision_;
  bool any_reduction_;
  cudaStream_t stream_;
  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::map<Key, Plan> plans_;
};

/// Computes a product with our own kernel (plain_product.cu), for any shape, strides and types.
void plain_product(cudaStream_t stream, const Gemm& g);

}  // namespace cdt
