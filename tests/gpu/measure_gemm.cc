// How fast cuBLASLt multiplies the matrices of a training step at paper scale (batch 8, 896 DNA
// bins, 2360 genes, hidden 768), and what choosing among its algorithms gains over its first
// suggestion. One JSON object on stdout; needs a GPU.
//
//   measure_gemm [--precision fp32|tf32|bf16|all] [--algorithms 8]
#include <cublasLt.h>

#include <array>
#include <iostream>
#include <memory>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/main.h"
#include "engine/cuda/gemm.h"
#include "io/text.h"
#include "tests/gpu/cuda_timing.h"

namespace cdt::measure {
namespace {

constexpr std::size_t kWorkspace = std::size_t{32} << 20U;

void check_lt(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw Error(std::string(call) + ": " + cublasLtGetStatusString(status));
  }
}
#define CDT_LT(call) check_lt(call, #call)

/// Row-major C (m, n) = op(A) (m, k) op(B) (k, n), `batch` times.
struct Product {
  std::string name;
  bool trans_a, trans_b;
  std::int64_t m, n, k, batch;
  double flop() const { return 2.0 * static_cast<double>(m * n * k * batch); }
};

/// The three products of y = x W^T: (tokens, in) by (out, in).
void add_linear(std::vector<Product>* products, const std::string& name, std::int64_t tokens,
                std::int64_t out, std::int64_t in) {
  products->push_back({name, false, true, tokens, out, in, 1});
  products->push_back({name + " dx", false, false, tokens, in, out, 1});
  products->push_back({name + " dw", true, false, out, in, tokens, 1});
}

std::vector<Product> products() {
  constexpr std::int64_t kBatch = 8, kBins = 896, kGenes = 2360, kHidden = 768, kWide = 3072;
  constexpr std::int64_t kHeads = 8, kHeadDim = 96;
  constexpr std::int64_t kDna = kBatch * kBins, kRna = kBatch * kGenes;
  std::vector<Product> all;
  add_linear(&all, "DNA projector", kDna, kHidden, kWide);
  add_linear(&all, "RNA projector", kGenes, kHidden, 512);
  add_linear(&all, "protein projector", kGenes, kHidden, kHidden);
  add_linear(&all, "DNA query key value", kDna, 3 * kHidden, kHidden);
  add_linear(&all, "DNA key value", kDna, 2 * kHidden, kHidden);
  add_linear(&all, "DNA out", kDna, kHidden, kHidden);
  add_linear(&all, "DNA feed-forward 1", kDna, kWide, kHidden);
  add_linear(&all, "DNA feed-forward 2", kDna, kHidden, kWide);
  add_linear(&all, "gene query key value", kRna, 3 * kHidden, kHidden);
  add_linear(&all, "gene key value", kRna, 2 * kHidden, kHidden);
  add_linear(&all, "gene out", kRna, kHidden, kHidden);
  add_linear(&all, "gene feed-forward 1", kRna, kWide, kHidden);
  add_linear(&all, "gene feed-forward 2", kRna, kHidden, kWide);
  const std::array<std::array<std::int64_t, 2>, 3> attention{
      {{kBins, kBins}, {kGenes, kBins}, {kGenes, kGenes}}};
  for (const auto& [queries, keys] : attention) {
    const std::string name = std::to_string(queries) + " by " + std::to_string(keys);
    all.push_back({"scores " + name, false, true, queries, keys, kHeadDim, kBatch * kHeads});
    all.push_back({"mix " + name, false, false, queries, kHeadDim, keys, kBatch * kHeads});
  }
  return all;
}

struct Precision {
  const char* name;
  Element element;
  cublasComputeType_t compute;
};
constexpr std::array<Precision, 3> kPrecisions{
    {{"fp32", Element::kFloat32, CUBLAS_COMPUTE_32F},
     {"tf32", Element::kFloat32, CUBLAS_COMPUTE_32F_FAST_TF32},
     {"bf16", Element::kBFloat16, CUBLAS_COMPUTE_32F}}};

template <typename T, cublasStatus_t (*kDestroy)(T)>
struct Destroyer {
  using pointer = T;
  void operator()(T handle) const { kDestroy(handle); }
};
template <typename T, cublasStatus_t (*kDestroy)(T)>
using Owned = std::unique_ptr<T, Destroyer<T, kDestroy>>;
using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using Description = Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using Preference = Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

/// A row-major (rows, cols) matrix is column-major (cols, rows).
Layout layout(std::int64_t rows, std::int64_t cols, const Product& p, const Precision& precision) {
  const cudaDataType type = precision.element == Element::kFloat32 ? CUDA_R_32F : CUDA_R_16BF;
  cublasLtMatrixLayout_t made = nullptr;
  CDT_LT(cublasLtMatrixLayoutCreate(&made, type, static_cast<std::uint64_t>(cols),
                                    static_cast<std::uint64_t>(rows), cols));
  Layout owned(made);
  const auto batch = static_cast<std::int32_t>(p.batch);
  const std::int64_t stride = rows * cols;
  CDT_LT(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch,
                                          sizeof batch));
  CDT_LT(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                          &stride, sizeof stride));
  return owned;
}

class GemmTimer {
 public:
  explicit GemmTimer(int algorithms) : algorithms_(algorithms) {
    CDT_LT(cublasLtCreate(&handle_));
    CDT_CUDA(cudaStreamCreate(&stream_));
    CDT_CUDA(cudaMalloc(&workspace_, kWorkspace));
  }
  ~GemmTimer() {
    cudaFree(workspace_);
    cudaStreamDestroy(stream_);
    cublasLtDestroy(handle_);
  }
  GemmTimer(const GemmTimer&) = delete;
  GemmTimer& operator=(const GemmTimer&) = delete;

  /// One JSON object.
  std::string time(const Product& p, const Precision& precision);

 private:
  /// C^T = op(B)^T op(A)^T: the operands change places.
  Description description(const Product& p, const Precision& precision) const;

  int algorithms_;
  cublasLtHandle_t handle_ = nullptr;
  cudaStream_t stream_ = nullptr;
  void* workspace_ = nullptr;
};

Description GemmTimer::description(const Product& p, const Precision& precision) const {
  cublasLtMatmulDesc_t made = nullptr;
  CDT_LT(cublasLtMatmulDescCreate(&made, precision.compute, CUDA_R_32F));
  Description owned(made);
  const cublasOperation_t first = p.trans_b ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t second = p.trans_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  CDT_LT(cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first));
  CDT_LT(cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second));
  return owned;
}

std::string GemmTimer::time(const Product& p, const Precision& precision) {
  const DeviceArray a(p.m * p.k * p.batch, precision.element);
  const DeviceArray b(p.k * p.n * p.batch, precision.element);
  const DeviceArray c(p.m * p.n * p.batch, precision.element);
  const Description product = description(p, precision);
  const Layout la = layout(p.trans_a ? p.k : p.m, p.trans_a ? p.m : p.k, p, precision);
  const Layout lb = layout(p.trans_b ? p.n : p.k, p.trans_b ? p.k : p.n, p, precision);
  const Layout lc = layout(p.m, p.n, p, precision);
  cublasLtMatmulPreference_t preference = nullptr;
  CDT_LT(cublasLtMatmulPreferenceCreate(&preference));
  const Preference owned(preference);
  CDT_LT(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                              &kWorkspace, sizeof kWorkspace));
  const auto allow = [&](cublasLtMatmulPreferenceAttributes_t attribute, std::uint32_t value) {
    CDT_LT(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value));
  };
  allow(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, kGemmReductions);
  for (const auto operand :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    allow(operand, kGemmAlignment);
  }
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(algorithms_));
  int count = 0;
  CDT_LT(cublasLtMatmulAlgoGetHeuristic(handle_, product.get(), lb.get(), la.get(), lc.get(),
                                        lc.get(), preference, algorithms_, found.data(), &count));
  double first = 0, best = 0;
  int chosen = -1;
  const float one = 1.0F, zero = 0.0F;
  for (int i = 0; i < count; ++i) {
    const auto& candidate = found[static_cast<std::size_t>(i)];
    if (candidate.state != CUBLAS_STATUS_SUCCESS) continue;
    const double us = microseconds(stream_, [&] {
      CDT_LT(cublasLtMatmul(handle_, product.get(), &one, b.data(), lb.get(), a.data(), la.get(),
                            &zero, c.data(), lc.get(), c.data(), lc.get(), &candidate.algo,
                            workspace_, kWorkspace, stream_));
    });
    if (chosen < 0) first = us;
    if (chosen < 0 || us < best) {
      best = us;
      chosen = i;
    }
  }
  if (chosen < 0) throw Error("no algorithm for " + p.name + " in " + precision.name);
  return "{\"product\": \"" + p.name + "\", \"precision\": \"" + precision.name +
         "\", \"m\": " + std::to_string(p.m) + ", \"n\": " + std::to_string(p.n) +
         ", \"k\": " + std::to_string(p.k) + ", \"batch\": " + std::to_string(p.batch) +
         ", \"first_us\": " + format_number(first) + ", \"best_us\": " + format_number(best) +
         ", \"best_algorithm\": " + std::to_string(chosen) +
         ", \"best_tflops\": " + format_number(p.flop() / best * 1e-6) + "}";
}

/// Bytes read and written per second by a large copy within the device, in TB/s.
double copy_rate() {
  constexpr std::int64_t kFloats = std::int64_t{1} << 28U;
  const DeviceArray from(kFloats, Element::kFloat32), to(kFloats, Element::kFloat32);
  const double us = microseconds(nullptr, [&] {
    CDT_CUDA(cudaMemcpyAsync(to.data(), from.data(), from.bytes(), cudaMemcpyDeviceToDevice));
  });
  return 2.0 * static_cast<double>(from.bytes()) / us * 1e-6;
}

int run(int argc, char** argv) {
  std::string wanted = "all";
  std::int64_t algorithms = 8;
  Cli cli("measure_gemm", "times cuBLASLt on the matrix products of a training step");
  cli.option("precision", &wanted, "fp32, tf32, bf16 or all");
  cli.choice("precision", {"fp32", "tf32", "bf16", "all"});
  cli.option("algorithms", &algorithms, "algorithms tried for each product");
  cli.range("algorithms", 1, 64);
  int exit_code = 0;
  if (!cli.parse(argc, argv, &exit_code)) return exit_code;
  const std::string gpu = gpu_name();
  std::cout << "{\"gpu\": \"" << gpu << "\", \"cublaslt\": " << cublasLtGetVersion()
            << ", \"copy_tb_per_s\": " << format_number(copy_rate()) << ", \"products\": [";
  GemmTimer timer(static_cast<int>(algorithms));
  const char* separator = "\n";
  for (const Precision& precision : kPrecisions) {
    if (wanted != "all" && wanted != precision.name) continue;
    for (const Product& product : products()) {
      std::cout << separator << timer.time(product, precision) << std::flush;
      separator = ",\n";
    }
  }
  std::cout << "\n]}\n";
  return 0;
}

}  // namespace
}  // namespace cdt::measure

int main(int argc, char** argv) {
  return cdt::run_main("measure_gemm", argc, argv, cdt::measure::run);
}
