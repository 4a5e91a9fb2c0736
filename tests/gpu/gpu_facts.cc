// Describes the GPU and its peak rates, against which other measurements are judged. One JSON
// object on stdout; needs a GPU.
//
//   gpu_facts [--size 8192] [--copy-mib 1024]
#include <cublasLt.h>

#include <iostream>
#include <string>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "engine/cuda/gemm.h"
#include "engine/cuda/split_product.h"
#include "io/format/text.h"
#include "tests/gpu/gemm_timing.h"

namespace cdt::measure {
namespace {

constexpr int kAlgorithms = 8;

std::string field(const std::string& name, const std::string& value) {
  return ", \"" + name + "\": " + value;
}

/// An attribute in millions of its unit, or null.
std::string attribute_in_mega(cudaDeviceAttr attribute) {
  constexpr double kKiloPerMega = 1e3;
  int value = 0;
  if (cudaDeviceGetAttribute(&value, attribute, 0) != cudaSuccess || value <= 0) {
    cudaGetLastError();
    return "null";
  }
  return format_number(value / kKiloPerMega);
}

std::string device_facts() {
  const cudaDeviceProp gpu = gpu_properties();
  int driver = 0, runtime = 0;
  CDT_CUDA(cudaDriverGetVersion(&driver));
  CDT_CUDA(cudaRuntimeGetVersion(&runtime));
  std::size_t free = 0, total = 0;
  CDT_CUDA(cudaMemGetInfo(&free, &total));
  return "{\"gpu\": \"" + std::string(gpu.name) + "\"" +
         field("compute_capability",
               "\"" + std::to_string(gpu.major) + "." + std::to_string(gpu.minor) + "\"") +
         field("driver_cuda_version", std::to_string(driver)) +
         field("runtime_version", std::to_string(runtime)) +
         field("cublaslt_version", std::to_string(cublasLtGetVersion())) +
         field("multiprocessors", std::to_string(gpu.multiProcessorCount)) +
         field("l2_bytes", std::to_string(gpu.l2CacheSize)) +
         field("memory_bytes", std::to_string(total)) +
         field("memory_free_bytes", std::to_string(free)) +
         field("sm_clock_mhz", attribute_in_mega(cudaDevAttrClockRate)) +
         field("memory_clock_mhz", attribute_in_mega(cudaDevAttrMemoryClockRate));
}

/// Bytes read and written per second by a copy within the device, in TB/s.
double copy_rate(std::int64_t mebibytes) {
  const std::int64_t floats = mebibytes << 18U;
  const DeviceArray from(floats, Element::kFloat32), to(floats, Element::kFloat32);
  const double us = microseconds(nullptr, [&] {
    CDT_CUDA(cudaMemcpyAsync(to.data(), from.data(), from.bytes(), cudaMemcpyDeviceToDevice));
  });
  return 2.0 * static_cast<double>(from.bytes()) / us * 1e-6;
}

/// Operands of a square product C = A B^T.
struct Square {
  Square(std::int64_t size, Element element)
      : n(size), a(n * n, element), b(n * n, element, 1.0F, 1), c(n * n, element) {
    const Dtype dtype = element == Element::kBFloat16 ? Dtype::kBFloat16 : Dtype::kFloat32;
    const auto operand = [&](const DeviceArray& array) {
      return Operand(Tensor{static_cast<float*>(array.data()), {n, n}, dtype});
    };
    product = {.trans_b = true,
               .m = n,
               .n = n,
               .k = n,
               .a = operand(a),
               .lda = n,
               .b = operand(b),
               .ldb = n,
               .c = operand(c),
               .ldc = n};
  }

  std::int64_t n;
  DeviceArray a, b, c;
  Gemm product;
};

/// The fastest of the library's algorithms, with any reductions.
double best_tflops(std::int64_t size, Precision precision) {
  const Square square(size,
                      precision == Precision::kBFloat16 ? Element::kBFloat16 : Element::kFloat32);
  GemmPlans plans(precision, false, nullptr);
  plans.run(square.product);
  PlanTimer timer(plans, plans.plans().begin()->second);
  return tflops(square.product, timer.best(CUBLASLT_REDUCTION_SCHEME_MASK, kAlgorithms).us);
}

/// The engine's product of three-part operands.
double split_tflops(std::int64_t size) {
  const Square square(size, Element::kFloat32);
  int multiprocessors = 0;
  CDT_CUDA(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0));
  const ProductCut cut = cut_product(square.product, multiprocessors);
  const DeviceArray slices(cut.slices * size * size, Element::kFloat32);
  const double us = microseconds(nullptr, [&] {
    split_product(nullptr, square.product, cut, static_cast<float*>(slices.data()));
  });
  return tflops(square.product, us);
}

#if CUBLAS_VERSION >= 120900
void check(cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) throw Error(cublasLtGetStatusString(status));
}

/// Whether the library offers float32 from bfloat16 products of split operands, and how fast it is.
std::string emulated_float32(std::int64_t size) {
  constexpr std::size_t kWorkspace = std::size_t{256} << 20U;
  const Square square(size, Element::kFloat32);
  const DeviceArray workspace(kWorkspace / sizeof(float), Element::kFloat32);
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t layout = nullptr;
  cublasLtMatmulPreference_t preference = nullptr;
  const auto n = static_cast<std::uint64_t>(size);
  check(cublasLtCreate(&handle));
  check(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F_EMULATED_16BFX9, CUDA_R_32F));
  check(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, n, n, size));
  check(cublasLtMatmulPreferenceCreate(&preference));
  check(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                             &kWorkspace, sizeof kWorkspace));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
      handle, operation, layout, layout, layout, layout, preference, 1, &found, &count);
  std::string answer = "\"not offered\"", rate = "null";
  if (status == CUBLAS_STATUS_SUCCESS && count > 0 && found.state == CUBLAS_STATUS_SUCCESS) {
    answer = "\"offered\"";
    const float one = 1.0F, zero = 0.0F;
    try {
      const double us = microseconds(nullptr, [&] {
        check(cublasLtMatmul(handle, operation, &one, square.a.data(), layout, square.b.data(),
                             layout, &zero, square.c.data(), layout, square.c.data(), layout,
                             &found.algo, workspace.data(), kWorkspace, nullptr));
      });
      rate = format_number(tflops(square.product, us));
    } catch (const Error& error) {  // offered, but it does not run: keep the other results
      std::cerr << "gpu_facts: emulated float32: " << error.what() << '\n';
    }
  }
  cublasLtMatmulPreferenceDestroy(preference);
  cublasLtMatrixLayoutDestroy(layout);
  cublasLtMatmulDescDestroy(operation);
  cublasLtDestroy(handle);
  return field("emulated_float32", answer) + field("emulated_float32_tflops", rate);
}
#else
std::string emulated_float32(std::int64_t /*size*/) {
  return field("emulated_float32", "\"not in this toolkit\"") +
         field("emulated_float32_tflops", "null");
}
#endif

int run(int argc, char** argv) {
  std::int64_t size = 8192, copy = 1024;
  Cli cli("gpu_facts", "tells what the GPU is and what it reaches at best");
  cli.number("size", &size, 16, 32768, "rows and columns of the matrices that are multiplied");
  cli.number("copy-mib", &copy, 1, 16384, "MiB that are copied");
  if (!cli.parse(argc, argv)) return kExitDone;
  const std::string facts = device_facts();
  std::cout << facts << field("copy_tb_per_s", format_number(copy_rate(copy)))
            << field("product_size", std::to_string(size)) << std::flush;
  const auto ceiling = [&](const char* name, double rate) {
    const std::string key = std::string(name) + "_" + std::to_string(size) + "_tflops";
    std::cout << field(key, format_number(rate)) << std::flush;
  };
  ceiling("bf16", best_tflops(size, Precision::kBFloat16));
  ceiling("tf32", best_tflops(size, Precision::kTf32));
  ceiling("fp32_fma", best_tflops(size, Precision::kFloat32));
  ceiling("fp32", split_tflops(size));
  std::cout << emulated_float32(size) << "}\n";
  return 0;
}

}  // namespace
}  // namespace cdt::measure

int main(int argc, char** argv) {
  return cdt::run_main("gpu_facts", argc, argv, cdt::measure::run);
}
