// cuBLASLt uses column-major matrices. A row-major X(r, c) with row stride ld is the column-major
// X^T(c, r) with column stride ld, so C = op(A) op(B) is computed as C^T = op(B)^T op(A)^T: B comes
// first, and each operand keeps its transposition. The bias then runs along the rows of C^T, which
// is how the library adds one.
#include "engine/cuda/gemm.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/launch.h"
#include "engine/cuda/split_product.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20U;  // NVIDIA's advice for Hopper

[[noreturn]] void failed(cublasStatus_t status, const char* call, const std::string& what) {
  throw Error(std::string("cuda: ") + call + ": " + cublasLtGetStatusName(status) + what);
}

/// `what` is evaluated only if the call fails.
#define CDT_CUBLAS(call, what)                                                \
  do {                                                                        \
    const cublasStatus_t cdt_status = (call);                                 \
    if (cdt_status != CUBLAS_STATUS_SUCCESS) failed(cdt_status, #call, what); \
  } while (false)

cudaDataType_t type_of(const Operand& x) {
  return x.dtype == Dtype::kBFloat16 ? CUDA_R_16BF : CUDA_R_32F;
}

/// Largest power of two up to kGemmAlignment that divides the address and the stride between
/// problems. A larger alignment is never reported; otherwise the algorithm, and with it the bits,
/// would depend on where an operand happens to be in memory.
std::int64_t alignment(const Operand& x, std::int64_t stride, std::int64_t batch) {
  const auto address = reinterpret_cast<std::uintptr_t>(x.data);
  const std::uintptr_t step =
      batch > 1 ? static_cast<std::uintptr_t>(stride * bytes_of(x.dtype)) : 0;
  std::uintptr_t best = kGemmAlignment;
  while ((address | step) % best != 0) best /= 2;
  return static_cast<std::int64_t>(best);
}

std::string describe(const Gemm& g) {
  return " in the product (" + std::to_string(g.m) + ", " + std::to_string(g.k) + ") x (" +
         std::to_string(g.k) + ", " + std::to_string(g.n) + "), batch " + std::to_string(g.batch);
}

/// The compute types to try, in order.
std::span<const cublasComputeType_t> compute_types(Precision precision, const Gemm& g) {
  static constexpr cublasComputeType_t kTypes[] = {CUBLAS_COMPUTE_32F_FAST_TF32,
                                                   CUBLAS_COMPUTE_32F};
  const bool fast = precision == Precision::kTf32 && g.a.dtype == Dtype::kFloat32;
  return std::span(kTypes).subspan(fast ? 0 : 1);
}

/// Layout of a matrix stored row-major as (rows, cols).
cublasLtMatrixLayout_t layout(const Operand& x, std::int64_t rows, std::int64_t cols,
                              std::int64_t ld, std::int64_t batch, std::int64_t stride) {
  cublasLtMatrixLayout_t out = nullptr;
  CDT_CUBLAS(cublasLtMatrixLayoutCreate(&out, type_of(x), static_cast<std::uint64_t>(cols),
                                        static_cast<std::uint64_t>(rows), ld),
             "");
  const auto count = static_cast<std::int32_t>(batch);
  CDT_CUBLAS(cublasLtMatrixLayoutSetAttribute(out, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count,
                                              sizeof count),
             "");
  CDT_CUBLAS(cublasLtMatrixLayoutSetAttribute(out, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                              &stride, sizeof stride),
             "");
  return out;
}

template <class Value>
void set(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute,
         const Value& value) {
  CDT_CUBLAS(cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value), "");
}

/// What algorithms may assume and use (RAII).
class Preference {
 public:
  Preference() { CDT_CUBLAS(cublasLtMatmulPreferenceCreate(&preference_), ""); }
  ~Preference() { cublasLtMatmulPreferenceDestroy(preference_); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  template <class Value>
  void set(cublasLtMatmulPreferenceAttributes_t attribute, const Value& value) {
    CDT_CUBLAS(cublasLtMatmulPreferenceSetAttribute(preference_, attribute, &value, sizeof value),
               "");
  }
  cublasLtMatmulPreference_t get() const { return preference_; }

 private:
  cublasLtMatmulPreference_t preference_ = nullptr;
};

}  // namespace

GemmPlans::GemmPlans(Precision precision, bool any_reduction, cudaStream_t stream)
    : precision_(precision), any_reduction_(any_reduction), stream_(stream) {
  CDT_CUBLAS(cublasLtCreate(&handle_), "");
  CDT_CUDA(cudaMalloc(&workspace_, kWorkspaceBytes));
}

GemmPlans::~GemmPlans() {
  for (const auto& [key, plan] : plans_) {
    cublasLtMatmulDescDestroy(plan.operation);
    for (const cublasLtMatrixLayout_t matrix : {plan.a, plan.b, plan.c}) {
      cublasLtMatrixLayoutDestroy(matrix);
    }
  }
  cudaFree(workspace_);
  cublasLtDestroy(handle_);
}

GemmPlans::Key GemmPlans::key_of(const Gemm& g) {
  const auto type = [](const Operand& x) { return static_cast<std::int64_t>(x.dtype); };
  return {g.trans_a ? 1 : 0,
          g.trans_b ? 1 : 0,
          g.m,
          g.n,
          g.k,
          g.lda,
          g.ldb,
          g.ldc,
          g.batch,
          g.stride_a,
          g.stride_b,
          g.stride_c,
          type(g.a) * 4 + type(g.c),
          g.beta == 0.0F ? 0 : 1,
          alignment(g.a, g.stride_a, g.batch),
          alignment(g.b, g.stride_b, g.batch),
          alignment(g.c, g.stride_c, g.batch),
          g.bias ? alignment(g.bias, 0, 1) : 0};
}

GemmPlans::Plan GemmPlans::make_plan(const Gemm& g) const {
  CDT_CHECK(g.a.dtype == g.b.dtype, "the factors of a product are of one type");
  CDT_CHECK(!g.bias || g.bias.dtype == g.c.dtype, "a bias is of the type of the result");
  Plan plan;
  plan.last = g;
  CDT_CUBLAS(cublasLtMatmulDescCreate(&plan.operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), "");
  set(plan.operation, CUBLASLT_MATMUL_DESC_TRANSA, g.trans_b ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(plan.operation, CUBLASLT_MATMUL_DESC_TRANSB, g.trans_a ? CUBLAS_OP_T : CUBLAS_OP_N);
  if (g.bias) {
    set(plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(g.bias));
    set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, g.bias.data);
  }
  plan.a = layout(g.a, g.trans_a ? g.k : g.m, g.trans_a ? g.m : g.k, g.lda, g.batch, g.stride_a);
  plan.b = layout(g.b, g.trans_b ? g.n : g.k, g.trans_b ? g.k : g.n, g.ldb, g.batch, g.stride_b);
  plan.c = layout(g.c, g.m, g.n, g.ldc, g.batch, g.stride_c);
  const std::uint32_t reductions = any_reduction_ ? any_reduction(g) : kOwnPass;
  for (const cublasComputeType_t type : compute_types(precision_, g)) {
    set(plan.operation, CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, type);
    const auto found = suggestions(plan, reductions, 1);
    if (found.empty()) continue;
    plan.algorithm = found[0];
    break;
  }
  return plan;
}

std::vector<cublasLtMatmulAlgo_t> GemmPlans::suggestions(const Plan& plan, std::uint32_t reductions,
                                                         int most) const {
  const Key key = key_of(plan.last);
  Preference preference;
  preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceBytes);
  preference.set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions);
  const auto aligned = [&](cublasLtMatmulPreferenceAttributes_t attribute, KeyPart part) {
    preference.set(attribute, static_cast<std::uint32_t>(key[part]));
  };
  aligned(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, kAlignB);
  aligned(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, kAlignA);
  aligned(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, kAlignC);
  aligned(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, kAlignC);
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(most));
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle_, plan.operation, plan.b, plan.a, plan.c, plan.c,
                                     preference.get(), most, found.data(), &count);
  // The library reports that it has none in one of two ways.
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return {};
  if (status != CUBLAS_STATUS_SUCCESS) {
    failed(status, "cublasLtMatmulAlgoGetHeuristic", describe(plan.last));
  }
  found.resize(static_cast<std::size_t>(count));
  std::vector<cublasLtMatmulAlgo_t> algorithms;
  for (const auto& result : found) {
    if (result.state == CUBLAS_STATUS_SUCCESS) algorithms.push_back(result.algo);
  }
  return algorithms;
}

void GemmPlans::issue(const Plan& plan, const cublasLtMatmulAlgo_t& algorithm) const {
  const Gemm& g = plan.last;
  if (g.bias) set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, g.bias.data);
  CDT_CUBLAS(cublasLtMatmul(handle_, plan.operation, &g.alpha, g.b.data, plan.b, g.a.data, plan.a,
                            &g.beta, g.c.data, plan.c, g.c.data, plan.c, &algorithm, workspace_,
                            kWorkspaceBytes, stream_),
             describe(g));
}

bool GemmPlans::run(const Gemm& g) {
  const Key key = key_of(g);
  auto at = plans_.find(key);
  if (at == plans_.end()) at = plans_.emplace(key, make_plan(g)).first;
  Plan& plan = at->second;
  plan.last = g;
  ++plan.calls;
  if (!plan.algorithm) return false;
  issue(plan, *plan.algorithm);
  return true;
}

bool CudaBackend::splits(const Gemm& g) const {
  constexpr std::int64_t kLeast = 16;  // rows per fragment
  return options_.precision == Precision::kBFloat16x3 && options_.library_products &&
         g.a.dtype == Dtype::kFloat32 && std::min(g.m, g.n) >= kLeast && can_split(g);
}

void CudaBackend::gemm(const Gemm& g) {
  if (splits(g)) {
    const ProductCut cut = cut_product(g, multiprocessors_);
    float* const slices = cut.slices > 1 ? partials(g.batch * cut.slices * g.m * g.n) : nullptr;
    split_product(stream_, g, cut, slices);
    return;
  }
  // The library's bias must be 16-byte aligned, which one part of a packed bias may not be.
  const bool apart = g.bias && reinterpret_cast<std::uintptr_t>(g.bias.data) % 16 != 0;
  Gemm product = g;
  if (apart) product.bias = {};
  if (!options_.library_products || !gemms_->run(product)) {
    plain_product(stream_, g);
    return;
  }
  if (!apart) return;
  CDT_CHECK(g.batch == 1, "a bias goes with a single product");
  add_bias(g.c, g.m, g.n, g.ldc, g.bias);
}

}  // namespace cdt
