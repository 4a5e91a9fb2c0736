#include "tests/gpu/gemm_timing.h"

#include <cstring>
#include <iostream>
#include <utility>

#include "engine/cuda/gemm.h"

namespace cdt::measure {
namespace {

/// A part of an algorithm's configuration, or -1.
std::int64_t part_of(const cublasLtMatmulAlgo_t& algorithm,
                     cublasLtMatmulAlgoConfigAttributes_t part) {
  std::int32_t value = 0;
  std::size_t written = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoConfigGetAttribute(&algorithm, part, &value, sizeof value, &written);
  return status == CUBLAS_STATUS_SUCCESS && written == sizeof value ? value : -1;
}

std::string number_or_null(std::int64_t value) {
  return value < 0 ? "null" : std::to_string(value);
}

const char* reduction_name(std::int64_t scheme) {
  switch (scheme) {
    case CUBLASLT_REDUCTION_SCHEME_NONE:
      return "\"none\"";
    case CUBLASLT_REDUCTION_SCHEME_INPLACE:
      return "\"in place\"";
    case CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE:
      return "\"compute type\"";
    case CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE:
      return "\"output type\"";
    default:
      return "null";
  }
}

/// The number of elements from the first to the end of the last, of a matrix or a batch of them.
std::int64_t span(std::int64_t rows, std::int64_t cols, std::int64_t ld, std::int64_t batch,
                  std::int64_t stride) {
  return (batch - 1) * stride + (rows - 1) * ld + cols;
}

}  // namespace

std::string algorithm_as_json(const std::optional<cublasLtMatmulAlgo_t>& chosen) {
  if (!chosen) return "null";
  const cublasLtMatmulAlgo_t& algorithm = *chosen;
  return "{\"id\": " + number_or_null(part_of(algorithm, CUBLASLT_ALGO_CONFIG_ID)) +
         ", \"tile\": " + number_or_null(part_of(algorithm, CUBLASLT_ALGO_CONFIG_TILE_ID)) +
         ", \"split_k\": " + number_or_null(part_of(algorithm, CUBLASLT_ALGO_CONFIG_SPLITK_NUM)) +
         ", \"reduction\": " +
         reduction_name(part_of(algorithm, CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME)) + "}";
}

double flop_of(const Gemm& g) { return 2.0 * static_cast<double>(g.m * g.n * g.k * g.batch); }

double tflops(const Gemm& g, double us) { return flop_of(g) / us * 1e-6; }

double PlanTimer::time(const cublasLtMatmulAlgo_t& algorithm) {
  for (const TimedAlgorithm& known : timed_) {
    if (std::memcmp(&*known.algorithm, &algorithm, sizeof algorithm) == 0) return known.us;
  }
  const double us = microseconds(plans_.stream(), [&] { plans_.issue(plan_, algorithm); });
  timed_.push_back({algorithm, us});
  return us;
}

double PlanTimer::engine() {
  if (plan_.algorithm) return time(*plan_.algorithm);
  return microseconds(plans_.stream(), [&] { plain_product(plans_.stream(), plan_.last); });
}

TimedAlgorithm PlanTimer::best(std::uint32_t reductions, int most) {
  if (!plan_.algorithm) return {std::nullopt, engine()};
  time(*plan_.algorithm);
  for (const auto& algorithm : plans_.suggestions(plan_, reductions, most)) {
    try {
      time(algorithm);
    } catch (const Error& error) {  // a suggestion that does not run is not the best
      std::cerr << error.what() << '\n';
    }
  }
  return *std::min_element(
      timed_.begin(), timed_.end(),
      [](const TimedAlgorithm& a, const TimedAlgorithm& b) { return a.us < b.us; });
}

TimedAlgorithm PlanTimer::first(std::uint32_t reductions) {
  const auto found = plans_.suggestions(plan_, reductions, 1);
  if (!plan_.algorithm || found.empty()) return {std::nullopt, engine()};
  return {found[0], time(found[0])};
}

bool PlanTimer::repeats(const std::optional<cublasLtMatmulAlgo_t>& algorithm,
                        OperandFiller* filler) const {
  constexpr int kTimes = 8;
  if (!algorithm) return true;
  const Gemm& g = plan_.last;
  const std::int64_t elements = span(g.m, g.n, g.ldc, g.batch, g.stride_c);
  std::vector<char> before;
  for (int i = 0; i < kTimes; ++i) {
    filler->fill(g, plans_.stream());
    plans_.issue(plan_, *algorithm);
    std::vector<char> now(static_cast<std::size_t>(elements * bytes_of(g.c.dtype)));
    CDT_CUDA(
        cudaMemcpyAsync(now.data(), g.c.data, now.size(), cudaMemcpyDeviceToHost, plans_.stream()));
    CDT_CUDA(cudaStreamSynchronize(plans_.stream()));
    if (i > 0 && now != before) return false;
    before = std::move(now);
  }
  return true;
}

void OperandFiller::fill(const Gemm& g, cudaStream_t stream) {
  fill(g.a, span(g.trans_a ? g.k : g.m, g.trans_a ? g.m : g.k, g.lda, g.batch, g.stride_a), stream);
  fill(g.b, span(g.trans_b ? g.n : g.k, g.trans_b ? g.k : g.n, g.ldb, g.batch, g.stride_b), stream);
  if (g.beta != 0.0F) fill(g.c, span(g.m, g.n, g.ldc, g.batch, g.stride_c), stream);
}

const DeviceArray& OperandFiller::numbers(Dtype dtype) {
  std::optional<DeviceArray>& array = dtype == Dtype::kBFloat16 ? narrow_ : floats_;
  const Element element = dtype == Dtype::kBFloat16 ? Element::kBFloat16 : Element::kFloat32;
  if (!array) array.emplace(static_cast<std::int64_t>(random_numbers().size()), element);
  return *array;
}

void OperandFiller::fill(const Operand& x, std::int64_t elements, cudaStream_t stream) {
  const DeviceArray& from = numbers(x.dtype);
  const auto bytes = static_cast<std::size_t>(elements * bytes_of(x.dtype));
  for (std::size_t at = 0; at < bytes; at += from.bytes()) {
    CDT_CUDA(cudaMemcpyAsync(static_cast<char*>(x.data) + at, from.data(),
                             std::min(from.bytes(), bytes - at), cudaMemcpyDeviceToDevice, stream));
  }
}

}  // namespace cdt::measure
