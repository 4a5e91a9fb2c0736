// cuBLASLt's calls: descriptors, the choice of an algorithm, and the product, with the checks in
// the library's documentation and checks of every operand's address.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "tests/emulation/device.h"
#include "tests/emulation/journal.h"
#include "tests/emulation/matmul.h"
#include "tests/emulation/memory.h"

using namespace cdt::emulation;  // NOLINT(google-build-using-namespace)

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
struct cublasLtContext {};
struct cublasLtMatmulPreferenceOpaque_t {
  std::uint64_t max_workspace = 0;
  std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
  std::uint32_t alignment[4] = {256, 256, 256, 256};  // of A, B, C, D
};

namespace {

/// The content of an algorithm's opaque words.
struct Algorithm {
  std::uint64_t shape;  // hash of the shape it was chosen for
  std::uint64_t workspace;
  std::uint32_t alignment[4];
  std::int32_t split_k, reduction;
};
static_assert(sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t));

/// How an algorithm sums over k, in the order of the library's preference here.
struct Split {
  std::int32_t parts;
  std::int32_t reduction;
  std::uint64_t workspace;
};
constexpr Split kSplits[] = {{4, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, 4096},
                             {1, CUBLASLT_REDUCTION_SCHEME_NONE, 0},
                             {2, CUBLASLT_REDUCTION_SCHEME_INPLACE, 0},
                             {2, CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE, 4096}};

cublasStatus_t refuse(const std::string& why, cublasStatus_t status = CUBLAS_STATUS_INVALID_VALUE) {
  report(cudaSuccess, "cublasLt: " + why);
  return status;
}

/// A field of a descriptor and the attribute that sets it.
struct Field {
  template <class T>
  Field(int number, T& field) : attribute(number), to(&field), bytes(sizeof(T)) {}
  int attribute;
  void* to;
  std::size_t bytes;
};

cublasStatus_t set_field(const char* owner, std::initializer_list<Field> fields, int attribute,
                         const void* value, std::size_t bytes) {
  for (const Field& field : fields) {
    if (field.attribute != attribute) continue;
    if (value == nullptr || bytes != field.bytes) return refuse("an attribute of the wrong size");
    std::memcpy(field.to, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  }
  return refuse("attribute " + std::to_string(attribute) + " of " + owner + " is not emulated");
}

std::uint64_t hash(const MatmulShape& s) {
  std::uint64_t h = 1469598103934665603U;
  const auto add = [&](std::uint64_t x) { h = (h ^ x) * 1099511628211U; };
  for (const MatrixLayout* l : {&s.a, &s.b, &s.c, &s.d}) {
    add(l->type), add(l->rows), add(l->cols), add(static_cast<std::uint64_t>(l->ld));
    add(static_cast<std::uint64_t>(l->batch_count)),
        add(static_cast<std::uint64_t>(l->batch_offset));
  }
  add(s.desc.compute), add(s.desc.epilogue);
  add(static_cast<std::uint64_t>(s.desc.trans_a)), add(static_cast<std::uint64_t>(s.desc.trans_b));
  return h;
}

struct ProductOperand {
  const char* name;
  const void* pointer;
  std::size_t bytes;
  std::size_t alignment;
};

std::string check_operand(const ProductOperand& o) {
  const std::string where = describe_address(o.pointer);
  if (!holds(o.pointer, o.bytes, MemoryKind::kDevice)) {
    return std::string(o.name) + ", " + std::to_string(o.bytes) +
           " bytes, is not device memory: " + (where.empty() ? "an address of the host" : where);
  }
  if (reinterpret_cast<std::uintptr_t>(o.pointer) % o.alignment != 0) {
    return std::string(o.name) + " is not aligned to " + std::to_string(o.alignment) +
           " bytes: " + where;
  }
  return "";
}

/// The workspace belongs to the library: its previous content is destroyed.
void spoil(void* workspace, std::size_t bytes) {
  auto* const words = static_cast<std::uint16_t*>(workspace);
  std::fill_n(words, bytes / sizeof(kFreshWord), kFreshWord);
}

cublasStatus_t not_null(const void* p) {
  return p != nullptr ? CUBLAS_STATUS_SUCCESS : refuse("a null descriptor");
}

/// True if the environment says that there is no algorithm for `which` products.
bool without_algorithm(const char* which) {
  const char* const text = std::getenv("CDT_EMULATED_NO_ALGORITHM");
  return text != nullptr && std::strcmp(text, which) == 0;
}

Algorithm open_algorithm(const cublasLtMatmulAlgo_t& algo) {
  Algorithm opened;
  std::memcpy(&opened, &algo, sizeof(opened));
  return opened;
}

std::string check_operands(const MatmulShape& s, const MatmulData& data,
                           const Algorithm& algorithm) {
  const MatrixLayout* const layouts[] = {&s.a, &s.b, &s.c, &s.d};
  const void* const pointers[] = {data.a, data.b, data.c, data.d};
  constexpr const char* kNames[] = {"A", "B", "C", "D"};
  for (int i = 0; i < 4; ++i) {
    std::string wrong =
        check_operand({kNames[i], pointers[i], span_bytes(*layouts[i]), algorithm.alignment[i]});
    if (!wrong.empty()) return wrong;
  }
  if (data.c == data.d && (s.c.ld != s.d.ld || s.c.batch_offset != s.d.batch_offset)) {
    return "C and D are the same memory with different layouts";
  }
  const auto overlaps = [&](const void* p, const MatrixLayout& l) {
    const auto* const x = static_cast<const char*>(p);
    const auto* const d = static_cast<const char*>(data.d);
    return x < d + span_bytes(s.d) && d < x + span_bytes(l);
  };
  // D's span may have gaps that belong to another operand only if its rows do not fill it.
  const bool dense = s.d.ld == static_cast<std::int64_t>(s.d.rows);
  if (dense && s.d.batch_count == 1 && (overlaps(data.a, s.a) || overlaps(data.b, s.b))) {
    return "D overlaps A or B";
  }
  if (s.desc.epilogue == CUBLASLT_EPILOGUE_BIAS) {
    const auto type = s.desc.bias_type < 0 ? s.d.type : static_cast<cudaDataType>(s.desc.bias_type);
    constexpr std::size_t kBiasAlignment = 16;
    return check_operand({"the bias", s.desc.bias,
                          static_cast<std::size_t>(s.m()) * element_bytes(type), kBiasAlignment});
  }
  return "";
}

}  // namespace

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  if (device_count() == 0) return CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = std::make_unique<cublasLtContext>().release();
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  const std::unique_ptr<cublasLtContext> owner(handle);
  return not_null(handle);
}

const char* cublasLtGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "CUBLAS_STATUS of another kind";
  }
}

const char* cublasLtGetStatusString(cublasStatus_t status) { return cublasLtGetStatusName(status); }

std::size_t cublasLtGetVersion() { return 130000; }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* desc, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  *desc = std::make_unique<MatmulDesc>().release();
  (*desc)->compute = compute;
  (*desc)->scale = scale;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) {
  const std::unique_ptr<MatmulDesc> owner(desc);
  return not_null(desc);
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, std::size_t bytes) {
  return set_field("a matmul descriptor",
                   {{CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, d->compute},
                    {CUBLASLT_MATMUL_DESC_SCALE_TYPE, d->scale},
                    {CUBLASLT_MATMUL_DESC_POINTER_MODE, d->pointer_mode},
                    {CUBLASLT_MATMUL_DESC_TRANSA, d->trans_a},
                    {CUBLASLT_MATMUL_DESC_TRANSB, d->trans_b},
                    {CUBLASLT_MATMUL_DESC_EPILOGUE, d->epilogue},
                    {CUBLASLT_MATMUL_DESC_BIAS_POINTER, d->bias},
                    {CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, d->bias_batch_stride},
                    {CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, d->bias_type}},
                   attribute, value, bytes);
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type,
                                          std::uint64_t rows, std::uint64_t cols, std::int64_t ld) {
  *layout = std::make_unique<MatrixLayout>().release();
  (*layout)->type = type;
  (*layout)->rows = rows;
  (*layout)->cols = cols;
  (*layout)->ld = ld;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  const std::unique_ptr<MatrixLayout> owner(layout);
  return not_null(layout);
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t l,
                                                cublasLtMatrixLayoutAttribute_t attribute,
                                                const void* value, std::size_t bytes) {
  return set_field("a matrix layout",
                   {{CUBLASLT_MATRIX_LAYOUT_TYPE, l->type},
                    {CUBLASLT_MATRIX_LAYOUT_ORDER, l->order},
                    {CUBLASLT_MATRIX_LAYOUT_ROWS, l->rows},
                    {CUBLASLT_MATRIX_LAYOUT_COLS, l->cols},
                    {CUBLASLT_MATRIX_LAYOUT_LD, l->ld},
                    {CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, l->batch_count},
                    {CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, l->batch_offset}},
                   attribute, value, bytes);
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = std::make_unique<cublasLtMatmulPreferenceOpaque_t>().release();
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  const std::unique_ptr<cublasLtMatmulPreferenceOpaque_t> owner(preference);
  return not_null(preference);
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, std::size_t bytes) {
  std::uint32_t ignored = 0;
  return set_field("a preference",
                   {{CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, p->max_workspace},
                    {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, p->alignment[0]},
                    {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, p->alignment[1]},
                    {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, p->alignment[2]},
                    {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, p->alignment[3]},
                    {CUBLASLT_MATMUL_PREF_SEARCH_MODE, ignored},
                    {CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, p->reductions}},
                   attribute, value, bytes);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t results[],
                                              int* returned) {
  const auto lock = lock_runtime();
  *returned = 0;
  if (handle == nullptr || requested < 1) return refuse("no handle, or no algorithm asked for");
  const MatmulShape shape{*desc, *a, *b, *c, *d};
  // A legitimate query with a negative answer, as on GPUs before Blackwell: not a finding.
  if (desc->compute == CUBLAS_COMPUTE_32F_EMULATED_16BFX9) return CUBLAS_STATUS_NOT_SUPPORTED;
  const std::string wrong = check_shape(shape);
  if (!wrong.empty()) return refuse(wrong);
  // The library has two ways to report that it has none.
  if (without_algorithm("all")) return CUBLAS_STATUS_NOT_SUPPORTED;
  const bool tf32 = desc->compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  if (tf32 && without_algorithm("tf32")) return CUBLAS_STATUS_SUCCESS;
  Algorithm algorithm{hash(shape), 0, {}, 1, CUBLASLT_REDUCTION_SCHEME_NONE};
  std::copy_n(preference->alignment, 4, algorithm.alignment);
  for (const Split& split : kSplits) {
    const bool allowed =
        (static_cast<std::uint32_t>(split.reduction) & ~preference->reductions) == 0;
    if (!allowed || split.workspace > preference->max_workspace || *returned == requested) continue;
    algorithm.workspace = split.workspace;
    algorithm.split_k = split.parts;
    algorithm.reduction = split.reduction;
    cublasLtMatmulHeuristicResult_t& result = results[(*returned)++];
    result = {};
    std::memcpy(&result.algo, &algorithm, sizeof(algorithm));
    result.workspaceSize = split.workspace;
    result.state = CUBLAS_STATUS_SUCCESS;
    result.wavesCount = 1.0F;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoCheck(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
                                       cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                       cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                       const cublasLtMatmulAlgo_t* algo,
                                       cublasLtMatmulHeuristicResult_t* result) {
  const auto lock = lock_runtime();
  if (handle == nullptr || algo == nullptr) return refuse("no handle or no algorithm");
  const Algorithm algorithm = open_algorithm(*algo);
  if (algorithm.shape != hash({*desc, *a, *b, *c, *d})) return CUBLAS_STATUS_NOT_SUPPORTED;
  *result = {*algo, algorithm.workspace, CUBLAS_STATUS_SUCCESS, 1.0F, {}};
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t* algo,
                                                    cublasLtMatmulAlgoConfigAttributes_t attribute,
                                                    void* value, std::size_t bytes,
                                                    std::size_t* written) {
  const Algorithm algorithm = open_algorithm(*algo);
  std::int32_t part = 0;  // there is one algorithm, with one tile
  if (attribute == CUBLASLT_ALGO_CONFIG_SPLITK_NUM) part = algorithm.split_k;
  if (attribute == CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME) part = algorithm.reduction;
  if (bytes < sizeof part) return refuse("less room than an attribute takes");
  std::memcpy(value, &part, sizeof part);
  if (written != nullptr) *written = sizeof part;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algo,
                              void* workspace, std::size_t workspace_bytes, cudaStream_t stream) {
  const auto lock = lock_runtime();
  if (handle == nullptr || alpha == nullptr || beta == nullptr) {
    return refuse("no handle, alpha or beta");
  }
  const MatmulShape shape{*desc, *a_layout, *b_layout, *c_layout, *d_layout};
  std::string wrong = check_shape(shape);
  if (!wrong.empty()) return refuse(wrong);
  Algorithm algorithm{hash(shape),
                      0,
                      {16, 16, 16, 16},
                      1,
                      CUBLASLT_REDUCTION_SCHEME_NONE};  // the library's own choice without one
  if (algo != nullptr) algorithm = open_algorithm(*algo);
  if (algorithm.shape != hash(shape)) {
    return refuse("an algorithm that was chosen for another product", CUBLAS_STATUS_NOT_SUPPORTED);
  }
  if (workspace_bytes < algorithm.workspace) {
    return refuse("less workspace than the algorithm needs");
  }
  MatmulData data{0, 0, a, b, c, d};
  std::memcpy(&data.alpha, alpha, sizeof(float));
  std::memcpy(&data.beta, beta, sizeof(float));
  wrong = check_operands(shape, data, algorithm);
  if (wrong.empty() && algorithm.workspace > 0) {
    constexpr std::size_t kWorkspaceAlignment = 256;
    wrong = check_operand({"the workspace", workspace, workspace_bytes, kWorkspaceAlignment});
  }
  if (!wrong.empty()) return refuse(wrong);
  const auto product = [=] {
    const Opened opened;
    if (algorithm.workspace > 0) spoil(workspace, algorithm.workspace);
    multiply(shape, data);
  };
  const cudaError_t error = issue(stream, product, [&] { return describe_product(shape); });
  return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
// NOLINTEND(readability-identifier-naming)
