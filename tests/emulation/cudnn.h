// cuDNN's library as programs see it, and attention as its operation SDPA_FWD defines it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tests/emulation/include/cudnn.h"

namespace cdt::emulation {

/// The result of dlopen("libcudnn.so.9"): null if the environment says that it is missing.
void* open_cudnn();
/// dlsym for that library; null for functions that are not emulated.
void* find_in_cudnn(const char* name);

/// A tensor of four dimensions, (B, H, N, K) unless noted below, with strides in elements.
struct SdpaTensor {
  std::int64_t id = 0;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::array<std::int64_t, 4> dims{}, strides{};
  std::int64_t alignment = 0;
  bool by_value = false;
  void* data = nullptr;

  std::int64_t element_bytes() const { return type == CUDNN_DATA_FLOAT ? 4 : 2; }
  /// From the first element to the end of the last.
  std::int64_t span_bytes() const;
};

/// out = softmax(scale q k^T) v, and stats (B, H, Nq, 1), the log-sum-exp of the scaled scores.
struct Sdpa {
  SdpaTensor q, k, v, out, stats, scale;
};

/// "", or why the library refuses the operation.
std::string check_sdpa(const Sdpa& a);

/// Planted errors, relative to each number.
struct SdpaError {
  double out = 0, stats = 0;
};
/// Computed in float64 and rounded once.
void compute_sdpa(const Sdpa& a, float scale, const SdpaError& planted);

}  // namespace cdt::emulation
