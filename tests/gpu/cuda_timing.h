// For the measuring programs: checked calls, device memory with random contents, time by events.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "engine/error.h"

namespace cdt::measure {

inline void check(cudaError_t status, const char* call) {
  if (status != cudaSuccess) {
    throw Error(std::string(call) + ": " + cudaGetErrorString(status));
  }
}
#define CDT_CUDA(call) ::cdt::measure::check(call, #call)

/// Queries and keys of the model's attentions.
constexpr std::array<std::array<std::int64_t, 2>, 3> kAttentionShapes{
    {{2360, 2360}, {2360, 896}, {896, 896}}};

enum class Element { kFloat32, kBFloat16 };

inline std::size_t size_of(Element element) { return element == Element::kFloat32 ? 4 : 2; }

/// Device memory of uniform random numbers in [-0.5, 0.5): zeros would be multiplied faster.
class DeviceArray {
 public:
  DeviceArray(std::int64_t count, Element element)
      : bytes_(static_cast<std::size_t>(count) * size_of(element)) {
    CDT_CUDA(cudaMalloc(&data_, bytes_));
    const std::vector<std::uint32_t> words = pattern(element);
    const std::size_t piece = words.size() * sizeof words[0];
    for (std::size_t at = 0; at < bytes_; at += piece) {
      CDT_CUDA(cudaMemcpy(static_cast<char*>(data_) + at, words.data(),
                          std::min(piece, bytes_ - at), cudaMemcpyHostToDevice));
    }
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  /// A few million words; the length is odd, so that rows of a matrix differ.
  static std::vector<std::uint32_t> pattern(Element element) {
    constexpr std::size_t kWords = (std::size_t{1} << 22U) + 3;
    std::vector<std::uint32_t> words(kWords);
    std::uint64_t state = 0x9E3779B97F4A7C15U;
    const auto draw = [&state] {
      state = state * 6364136223846793005U + 1442695040888963407U;
      const float value = static_cast<float>(state >> 40U) * 0x1p-24F - 0.5F;
      std::uint32_t bits = 0;
      std::copy_n(reinterpret_cast<const char*>(&value), sizeof bits,
                  reinterpret_cast<char*>(&bits));
      return bits;
    };
    for (std::uint32_t& word : words) {
      word = draw();
      // bfloat16 is the upper half of a float32.
      if (element == Element::kBFloat16) word = (word & 0xFFFF0000U) | (draw() >> 16U);
    }
    return words;
  }

  void* data_ = nullptr;
  std::size_t bytes_;
};

constexpr int kWarmUps = 3, kRepeats = 10, kSamples = 5;

/// The median of kSamples calls.
inline double median_of(const std::function<double()>& sample) {
  std::vector<double> values(kSamples);
  std::generate(values.begin(), values.end(), sample);
  std::nth_element(values.begin(), values.begin() + kSamples / 2, values.end());
  return values[kSamples / 2];
}

inline void repeat(int times, const std::function<void()>& launch) {
  for (int i = 0; i < times; ++i) launch();
}

/// Microseconds of one `launch` on `stream`: median of event pairs around kRepeats launches each,
/// after a warm-up.
inline double microseconds(cudaStream_t stream, const std::function<void()>& launch) {
  cudaEvent_t begin = nullptr, end = nullptr;
  CDT_CUDA(cudaEventCreate(&begin));
  CDT_CUDA(cudaEventCreate(&end));
  repeat(kWarmUps, launch);
  const double median = median_of([&] {
    CDT_CUDA(cudaEventRecord(begin, stream));
    repeat(kRepeats, launch);
    CDT_CUDA(cudaEventRecord(end, stream));
    CDT_CUDA(cudaEventSynchronize(end));
    float milliseconds = 0;
    CDT_CUDA(cudaEventElapsedTime(&milliseconds, begin, end));
    return 1e3 * static_cast<double>(milliseconds) / kRepeats;
  });
  CDT_CUDA(cudaEventDestroy(begin));
  CDT_CUDA(cudaEventDestroy(end));
  return median;
}

/// The same by the host's clock, for work on a stream that only `wait` knows.
inline double wall_microseconds(const std::function<void()>& launch,
                                const std::function<void()>& wait) {
  using Clock = std::chrono::steady_clock;
  repeat(kWarmUps, launch);
  wait();
  return median_of([&] {
    const auto begin = Clock::now();
    repeat(kRepeats, launch);
    wait();
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count() / kRepeats;
  });
}

/// Name of GPU 0. InputError where there is none.
inline std::string gpu_name() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    throw InputError("GPU", "0",
                     status == cudaSuccess ? "there is none" : cudaGetErrorString(status));
  }
  cudaDeviceProp properties{};
  CDT_CUDA(cudaGetDeviceProperties(&properties, 0));
  return properties.name;
}

/// The body of a program that measures attention: one JSON object on stdout, `about` behind the
/// GPU's name, and under `what` the objects that `measure` gives for a batch and a shape.
inline int measure_attentions(
    int argc, char** argv, const char* program, const char* purpose, const std::string& about,
    const char* what,
    const std::function<std::vector<std::string>(std::int64_t batch, std::int64_t queries,
                                                 std::int64_t keys)>& measure) {
  std::int64_t batch = 8;
  Cli cli(program, purpose);
  cli.option("batch", &batch, "samples");
  cli.range("batch", 1, 64);
  int exit_code = 0;
  if (!cli.parse(argc, argv, &exit_code)) return exit_code;
  const std::string gpu = gpu_name();
  std::cout << "{\"gpu\": \"" << gpu << "\"" << about << ", \"batch\": " << batch << ", \"" << what
            << "\": [";
  const char* separator = "\n";
  for (const auto& [queries, keys] : kAttentionShapes) {
    for (const std::string& object : measure(batch, queries, keys)) {
      std::cout << separator << object << std::flush;
      separator = ",\n";
    }
  }
  std::cout << "\n]}\n";
  return 0;
}

}  // namespace cdt::measure
