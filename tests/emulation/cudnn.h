// cuDNN's library as programs find it, and attention as its operation SDPA_FWD describes it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tests/emulation/include/cudnn.h"

namespace cdt::emulation {

/// What dlopen("libcudnn.so.9") returns: null where the environment says that it is not there.
void* open_cudnn();
/// dlsym of that library; null for what is not emulated.
void* find_in_cudnn(const char* name);

/// A tensor of four dimensions, (B, H, N, K) but for what differs below, strides in elements.
struct SdpaTensor {
  std::int64_t id = 0;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::array<std::int64_t, 4> dims{}, strides{};
  std::int64_t alignment = 0;
  bool by_value = false;
  void* data = nullptr;

  std::int64_t element_bytes() const { return type == CUDNN_DATA_FLOAT ? 4 : 2; }
  /// From the first element to behind the last.
  std::int64_t span_bytes() const;
};

/// out = softmax(scale q k^T) v, and stats (B, H, Nq, 1), the log of the sum of exponentials of
/// scaled scores.
struct Sdpa {
  SdpaTensor q, k, v, out, stats, scale;
};

/// "" or why the library refuses the operation.
std::string check_sdpa(const Sdpa& a);

/// Mistakes to make, relative to each number.
struct SdpaError {
  double out = 0, stats = 0;
};
/// In float64, rounded once.
void compute_sdpa(const Sdpa& a, float scale, const SdpaError& planted);

}  // namespace cdt::emulation
