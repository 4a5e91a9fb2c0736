// Helpers of the measuring programs: device memory with random contents, and time on the device and
// the host.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/bfloat16.h"
#include "engine/cuda/launch.h"
#include "engine/error.h"
#include "tests/bench/random_numbers.h"

namespace cdt::measure {

/// Queries and keys of the model's attentions.
constexpr std::array<std::array<std::int64_t, 2>, 3> kAttentionShapes{
    {{2360, 2360}, {2360, 896}, {896, 896}}};

enum class Element { kFloat32, kBFloat16 };

inline std::size_t size_of(Element element) { return element == Element::kFloat32 ? 4 : 2; }

/// random_numbers() times `scale`, repeated cyclically from number `first` on.
inline std::vector<char> random_bytes(Element element, float scale, std::size_t first) {
  const std::vector<float>& numbers = random_numbers();
  std::vector<char> bytes(numbers.size() * size_of(element));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const float x = scale * numbers[(first + i) % numbers.size()];
    const BFloat16 narrow = to_bfloat16(x);
    const bool floats = element == Element::kFloat32;
    const char* from =
        floats ? reinterpret_cast<const char*>(&x) : reinterpret_cast<const char*>(&narrow);
    std::copy_n(from, size_of(element), bytes.data() + i * size_of(element));
  }
  return bytes;
}

/// Device memory of uniform random numbers in [-scale / 2, scale / 2). Arrays with the same `first`
/// hold the same numbers.
class DeviceArray {
 public:
  DeviceArray(std::int64_t count, Element element, float scale = 1.0F, std::size_t first = 0)
      : bytes_(static_cast<std::size_t>(count) * size_of(element)) {
    CDT_CUDA(cudaMalloc(&data_, bytes_));
    const std::vector<char> numbers = random_bytes(element, scale, first);
    for (std::size_t at = 0; at < bytes_; at += numbers.size()) {
      CDT_CUDA(cudaMemcpy(static_cast<char*>(data_) + at, numbers.data(),
                          std::min(numbers.size(), bytes_ - at), cudaMemcpyHostToDevice));
    }
    CDT_CUDA(cudaDeviceSynchronize());  // streams of others do not wait for these copies
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_;
};

/// Microseconds of one launch, given that microseconds_of(n) times n of them: the median of five
/// samples of about two milliseconds each, after a warm-up.
inline double median_launch(const std::function<double(int)>& microseconds_of) {
  constexpr int kWarmUps = 2, kSamples = 5;
  constexpr double kSample = 2000.0, kMostLaunches = 20.0;
  microseconds_of(kWarmUps);
  const double first = std::max(microseconds_of(1), 1e-3);
  const int launches = static_cast<int>(std::clamp(kSample / first, 1.0, kMostLaunches));
  std::array<double, kSamples> samples{};
  for (double& s : samples) s = microseconds_of(launches) / launches;
  std::nth_element(samples.begin(), samples.begin() + kSamples / 2, samples.end());
  return samples[kSamples / 2];
}

/// Measured by events on `stream`.
inline double microseconds(cudaStream_t stream, const std::function<void()>& launch) {
  cudaEvent_t begin = nullptr, end = nullptr;
  CDT_CUDA(cudaEventCreate(&begin));
  CDT_CUDA(cudaEventCreate(&end));
  const double median = median_launch([&](int launches) {
    CDT_CUDA(cudaEventRecord(begin, stream));
    for (int i = 0; i < launches; ++i) launch();
    CDT_CUDA(cudaEventRecord(end, stream));
    CDT_CUDA(cudaEventSynchronize(end));
    float milliseconds = 0;
    CDT_CUDA(cudaEventElapsedTime(&milliseconds, begin, end));
    return 1e3 * static_cast<double>(milliseconds);
  });
  CDT_CUDA(cudaEventDestroy(begin));
  CDT_CUDA(cudaEventDestroy(end));
  return median;
}

/// Measured by the host's clock, for work on a stream that only `wait` knows.
inline double wall_microseconds(const std::function<void()>& launch,
                                const std::function<void()>& wait) {
  using Clock = std::chrono::steady_clock;
  return median_launch([&](int launches) {
    const auto begin = Clock::now();
    for (int i = 0; i < launches; ++i) launch();
    wait();
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  });
}

/// The properties of GPU 0. InputError if there is none.
inline cudaDeviceProp gpu_properties() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    throw InputError("GPU", "0",
                     status == cudaSuccess ? "there is none" : cudaGetErrorString(status));
  }
  cudaDeviceProp properties{};
  CDT_CUDA(cudaGetDeviceProperties(&properties, 0));
  return properties;
}

inline std::string gpu_name() { return gpu_properties().name; }

}  // namespace cdt::measure
