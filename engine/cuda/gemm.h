// Matrix products through cuBLASLt. What a shape needs (descriptors, algorithm) is made once and
// kept. The algorithm is the first the library's heuristic names, so that one machine gives the
// same bits on every run. Where it names none, a product in tf32 is one
// in float32, and what is left is for plain_product().
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

/// How the library may add what it split over k: in a pass of its own, in float32.
inline constexpr std::uint32_t kOwnPass = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
inline constexpr std::uint32_t kAnyScheme = CUBLASLT_REDUCTION_SCHEME_MASK;
/// Those of CudaOptions::any_reduction: a result that is not float32 would be rounded between.
inline std::uint32_t any_reduction(const Gemm& g) {
  return g.c.dtype == Dtype::kFloat32 ? kAnyScheme : kOwnPass;
}
/// Bytes of alignment an algorithm may count on at most: what a thread loads at once.
inline constexpr std::uint32_t kGemmAlignment = 16;

class GemmPlans {
 public:
  /// What a product needs, made once; the addresses are those of the last call.
  struct Plan {
    cublasLtMatmulDesc_t operation = nullptr;
    cublasLtMatrixLayout_t b = nullptr, a = nullptr, c = nullptr;
    std::optional<cublasLtMatmulAlgo_t> algorithm;  // none: the library has none
    Gemm last;
    std::int64_t calls = 0;
  };
  /// Everything of a product but its addresses; of those the alignment.
  using Key = std::array<std::int64_t, 20>;
  enum KeyPart { kAlignA = 14, kAlignB, kAlignC, kAlignBias };

  /// any_reduction: CudaOptions.
  GemmPlans(Precision precision, bool any_reduction, cudaStream_t stream);
  ~GemmPlans();
  GemmPlans(const GemmPlans&) = delete;
  GemmPlans& operator=(const GemmPlans&) = delete;

  /// False where the library has no algorithm for the product; then nothing was done.
  bool run(const Gemm& g);

  // for measurements
  const std::map<Key, Plan>& plans() const { return plans_; }
  cudaStream_t stream() const { return stream_; }
  /// At most `most` algorithms for the product, the library's favourite first; `reductions` are
  /// those that it may use to add what was split over k.
  std::vector<cublasLtMatmulAlgo_t> suggestions(const Plan& plan, std::uint32_t reductions,
                                                int most) const;
  /// The last product of the plan once more, by an algorithm of suggestions().
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

/// The product by a kernel of our own (plain_product.cu), of any shape, strides and types.
void plain_product(cudaStream_t stream, const Gemm& g);

}  // namespace cdt
