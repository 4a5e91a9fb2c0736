// The emulated cuBLASLt: products against plain loops, and descriptors that the library would
// refuse.
#include "tests/emulation/include/cublasLt.h"

#include <cmath>

#include "tests/emulation/checked_test.h"
#include "tests/emulation/device_buffer.h"

namespace cdt::test {
namespace {

constexpr std::uint64_t kM = 3;
constexpr std::uint64_t kN = 4;
constexpr std::uint64_t kK = 5;

/// D(3, 4) = A(3, 5) B(5, 4) + bias, column-major; tests spoil its parts.
class CublasLt : public CheckedTest {
 protected:
  void SetUp() override {
    CheckedTest::SetUp();
    ASSERT_EQ(cublasLtCreate(&handle_), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cublasLtMatmulDescCreate(&desc_, CUBLAS_COMPUTE_32F, CUDA_R_32F),
              CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cublasLtMatmulPreferenceCreate(&preference_), CUBLAS_STATUS_SUCCESS);
    set_preference(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{1} << 20U);
  }
  void TearDown() override {
    cublasLtMatmulPreferenceDestroy(preference_);
    cublasLtMatmulDescDestroy(desc_);
    for (const cublasLtMatrixLayout_t l : layouts_) cublasLtMatrixLayoutDestroy(l);
    cublasLtDestroy(handle_);
    CheckedTest::TearDown();
  }

  cublasLtMatrixLayout_t layout(std::uint64_t rows, std::uint64_t cols, std::int64_t ld,
                                cudaDataType type = CUDA_R_32F) {
    cublasLtMatrixLayout_t l = nullptr;
    EXPECT_EQ(cublasLtMatrixLayoutCreate(&l, type, rows, cols, ld), CUBLAS_STATUS_SUCCESS);
    layouts_.push_back(l);
    return l;
  }
  template <class T>
  void set_preference(cublasLtMatmulPreferenceAttributes_t attribute, T value) {
    EXPECT_EQ(cublasLtMatmulPreferenceSetAttribute(preference_, attribute, &value, sizeof value),
              CUBLAS_STATUS_SUCCESS);
  }
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value) {
    EXPECT_EQ(cublasLtMatmulDescSetAttribute(desc_, attribute, &value, sizeof value),
              CUBLAS_STATUS_SUCCESS);
  }
  /// The algorithms for the layouts, or the error status.
  cublasStatus_t choose(cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                        cublasLtMatrixLayout_t d) {
    int found = 0;
    const auto status = cublasLtMatmulAlgoGetHeuristic(handle_, desc_, a, b, d, d, preference_, 2,
                                                       results_, &found);
    EXPECT_EQ(found > 0, status == CUBLAS_STATUS_SUCCESS);
    return status;
  }
  static std::int32_t part(const cublasLtMatmulAlgo_t& algorithm,
                           cublasLtMatmulAlgoConfigAttributes_t attribute) {
    std::int32_t value = -1;
    std::size_t written = 0;
    EXPECT_EQ(
        cublasLtMatmulAlgoConfigGetAttribute(&algorithm, attribute, &value, sizeof value, &written),
        CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(written, sizeof value);
    return value;
  }
  cublasStatus_t multiply(const float* a, const float* b, float* d,
                          std::size_t workspace_bytes = 4096) {
    const float one = 1.0F;
    const float zero = 0.0F;
    return cublasLtMatmul(handle_, desc_, &one, a, a_, b, b_, &zero, d, d_, d, d_,
                          &results_[0].algo, workspace_.data(), workspace_bytes, nullptr);
  }

  cublasLtHandle_t handle_ = nullptr;
  cublasLtMatmulDesc_t desc_ = nullptr;
  cublasLtMatmulPreference_t preference_ = nullptr;
  std::vector<cublasLtMatrixLayout_t> layouts_;
  cublasLtMatmulHeuristicResult_t results_[2] = {};
  DeviceBuffer workspace_{1024};
  cublasLtMatrixLayout_t a_ = layout(kM, kK, kM), b_ = layout(kK, kN, kK), d_ = layout(kM, kN, kM);
  DeviceBuffer a_data_{std::vector<float>(kM * kK, 2.0F)},
      b_data_{std::vector<float>(kK * kN, 3.0F)}, d_data_{kM * kN};
};

TEST_F(CublasLt, ProductsWithBias) {
  const DeviceBuffer bias({10.0F, 20.0F, 30.0F});
  set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
  set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(bias.data()));
  ASSERT_EQ(choose(a_, b_, d_), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(multiply(a_data_.data(), b_data_.data(), d_data_.data()), CUBLAS_STATUS_SUCCESS);
  const auto d = d_data_.values();
  for (std::size_t i = 0; i < kM * kN; ++i) {
    EXPECT_EQ(d[i], 30.0F + 10.0F * static_cast<float>(i % kM + 1));
  }
  for (const float x : workspace_.values()) EXPECT_TRUE(std::isnan(x)) << "the workspace is spoilt";
}

// 1 + 2^-11 becomes 1 with TF32's ten bits of mantissa.
TEST_F(CublasLt, Tf32RoundsTheOperands) {
  const DeviceBuffer fine(std::vector<float>(kM * kK, 1.0F + 0x1p-11F));
  const DeviceBuffer ones(std::vector<float>(kK * kN, 1.0F));
  for (const auto compute : {CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32}) {
    set(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, compute);
    ASSERT_EQ(choose(a_, b_, d_), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(multiply(fine.data(), ones.data(), d_data_.data()), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(d_data_.values()[0], compute == CUBLAS_COMPUTE_32F ? 5.0F * (1.0F + 0x1p-11F) : 5.0F);
  }
}

// The attributes of an algorithm: how many parts k is split into, and how these are added.
TEST_F(CublasLt, OffersTheReductionsOfTheMask) {
  const std::uint32_t masks[] = {CUBLASLT_REDUCTION_SCHEME_NONE,
                                 CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE,
                                 CUBLASLT_REDUCTION_SCHEME_MASK};
  const int offered[] = {1, 2, 4};
  for (std::size_t i = 0; i < std::size(masks); ++i) {
    set_preference(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, masks[i]);
    cublasLtMatmulHeuristicResult_t results[8] = {};
    int found = 0;
    ASSERT_EQ(cublasLtMatmulAlgoGetHeuristic(handle_, desc_, a_, b_, d_, d_, preference_, 8,
                                             results, &found),
              CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(found, offered[i]);
    for (int r = 0; r < found; ++r) {
      const std::int32_t scheme = part(results[r].algo, CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME);
      const std::int32_t parts = part(results[r].algo, CUBLASLT_ALGO_CONFIG_SPLITK_NUM);
      EXPECT_EQ(static_cast<std::uint32_t>(scheme) & ~masks[i], 0U);
      EXPECT_EQ(scheme == CUBLASLT_REDUCTION_SCHEME_NONE, parts == 1);
    }
  }
}

TEST_F(CublasLt, EmulatedFloat32IsNotOffered) {
  set(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, CUBLAS_COMPUTE_32F_EMULATED_16BFX9);
  EXPECT_EQ(choose(a_, b_, d_), CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST_F(CublasLt, RefusesShapesThatDoNotFit) {
  const struct {
    cublasLtMatrixLayout_t a, b, d;
    const char* why;
  } wrong[] = {{layout(kM, kK, kM - 1), b_, d_, "A: leading dimension 2 below its 3 rows"},
               {layout(kK, kM, kK), b_, d_, "sizes do not fit"},
               {a_, layout(kK, kN, kK, CUDA_R_16BF), d_, "A and B differ in type"},
               {a_, b_, layout(kM, kN, kM, CUDA_R_16BF), "types of A and D"},
               {a_, b_, layout(0, kN, kM), "C has no elements"}};
  for (const auto& w : wrong) {
    EXPECT_EQ(choose(w.a, w.b, w.d), CUBLAS_STATUS_INVALID_VALUE);
    expect_finding({"cublasLt: ", w.why});
  }
  set(CUBLASLT_MATMUL_DESC_SCALE_TYPE, CUDA_R_64F);
  EXPECT_EQ(choose(a_, b_, d_), CUBLAS_STATUS_INVALID_VALUE);
  expect_finding({"the scale type is not float32"});
}

TEST_F(CublasLt, RefusesOperandsThatBreakWhatTheAlgorithmAssumes) {
  ASSERT_EQ(choose(a_, b_, d_), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(multiply(a_data_.data(), b_data_.data(), d_data_.data(), 100),
            CUBLAS_STATUS_INVALID_VALUE);
  expect_finding({"less workspace than the algorithm needs"});
  const DeviceBuffer more(kM * kK + 1);
  EXPECT_EQ(multiply(more.data() + 1, b_data_.data(), d_data_.data()), CUBLAS_STATUS_INVALID_VALUE);
  expect_finding({"A is not aligned to 256 bytes"});
  EXPECT_EQ(multiply(b_data_.data() + 8, b_data_.data(), d_data_.data()),
            CUBLAS_STATUS_INVALID_VALUE);
  expect_finding({"A, 60 bytes, is not device memory: byte 32 of allocation"});
  EXPECT_EQ(multiply(a_data_.data(), d_data_.data(), d_data_.data()), CUBLAS_STATUS_INVALID_VALUE);
  expect_finding({"B, 80 bytes, is not device memory"});
  const cublasLtMatmulHeuristicResult_t for_another = results_[0];
  set(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, CUBLAS_COMPUTE_32F_FAST_TF32);
  EXPECT_EQ(multiply(a_data_.data(), b_data_.data(), d_data_.data()), CUBLAS_STATUS_NOT_SUPPORTED);
  expect_finding({"an algorithm that was chosen for another product"});
  cublasLtMatmulHeuristicResult_t checked;
  EXPECT_EQ(cublasLtMatmulAlgoCheck(handle_, desc_, a_, b_, d_, d_, &for_another.algo, &checked),
            CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST_F(CublasLt, RefusesAttributesOfTheWrongSize) {
  const std::int64_t wide = 1;
  EXPECT_EQ(cublasLtMatmulDescSetAttribute(desc_, CUBLASLT_MATMUL_DESC_TRANSA, &wide, sizeof wide),
            CUBLAS_STATUS_INVALID_VALUE);
  expect_finding({"an attribute of the wrong size"});
}

}  // namespace
}  // namespace cdt::test
