#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/bfloat16.h"
#include "tests/emulation/cudnn.h"

namespace cdt::emulation {
namespace {

/// Element (b, h, n, k) of data on the host or, while it is open, on the device.
std::int64_t index(const SdpaTensor& t, std::int64_t b, std::int64_t h, std::int64_t n,
                   std::int64_t k) {
  return b * t.strides[0] + h * t.strides[1] + n * t.strides[2] + k * t.strides[3];
}

double load(const SdpaTensor& t, std::int64_t i) {
  if (t.type == CUDNN_DATA_FLOAT) return static_cast<const float*>(t.data)[i];
  return to_float(static_cast<const BFloat16*>(t.data)[i]);
}

void store(const SdpaTensor& t, std::int64_t i, double x) {
  if (t.type == CUDNN_DATA_FLOAT) {
    static_cast<float*>(t.data)[i] = static_cast<float>(x);
  } else {
    static_cast<BFloat16*>(t.data)[i] = to_bfloat16(static_cast<float>(x));
  }
}

std::string check_operand(const char* name, const SdpaTensor& t,
                          const std::array<std::int64_t, 4>& dims) {
  const std::string who = name;
  if (t.type != CUDNN_DATA_BFLOAT16) return who + " is not bfloat16";
  if (t.dims != dims) return who + "'s dimensions do not fit (B, H, N, K)";
  if (t.strides[3] != 1) return who + "'s last dimension is not contiguous";
  for (int i = 0; i < 3; ++i) {
    if (t.strides[static_cast<std::size_t>(i)] * t.element_bytes() % t.alignment != 0) {
      return who + "'s strides are no multiples of its alignment";
    }
  }
  return "";
}

}  // namespace

std::int64_t SdpaTensor::span_bytes() const {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < dims.size(); ++i) last += (dims[i] - 1) * strides[i];
  return (last + 1) * element_bytes();
}

std::string check_sdpa(const Sdpa& a) {
  const auto [batch, heads, queries, width] = a.q.dims;
  const std::int64_t keys = a.k.dims[2];
  if (width % 8 != 0 || width > 256) return "heads are no multiple of 8 up to 256";
  const struct {
    const char* name;
    const SdpaTensor& tensor;
    std::int64_t rows;
  } operands[] = {{"q", a.q, queries}, {"k", a.k, keys}, {"v", a.v, keys}, {"o", a.out, queries}};
  for (const auto& o : operands) {
    std::string wrong = check_operand(o.name, o.tensor, {batch, heads, o.rows, width});
    if (!wrong.empty()) return wrong;
  }
  if (a.stats.type != CUDNN_DATA_FLOAT ||
      a.stats.dims != std::array<std::int64_t, 4>{batch, heads, queries, 1}) {
    return "statistics are not float32 of (B, H, Nq, 1)";
  }
  if (a.scale.type != CUDNN_DATA_FLOAT || !a.scale.by_value ||
      a.scale.dims != std::array<std::int64_t, 4>{1, 1, 1, 1}) {
    return "the scale is no number of the host";
  }
  return "";
}

void compute_sdpa(const Sdpa& a, float scale, const SdpaError& planted) {
  const auto [batch, heads, queries, width] = a.q.dims;
  const std::int64_t keys = a.k.dims[2];
  std::vector<double> p(static_cast<std::size_t>(keys));
  const auto row = [&](std::int64_t b, std::int64_t h, std::int64_t i) {
    double most = -std::numeric_limits<double>::infinity();
    for (std::int64_t j = 0; j < keys; ++j) {
      double score = 0.0;
      for (std::int64_t k = 0; k < width; ++k) {
        score += load(a.q, index(a.q, b, h, i, k)) * load(a.k, index(a.k, b, h, j, k));
      }
      p[static_cast<std::size_t>(j)] = score * static_cast<double>(scale);
      most = std::max(most, p[static_cast<std::size_t>(j)]);
    }
    double sum = 0.0;
    for (double& x : p) sum += x = std::exp(x - most);
    for (std::int64_t k = 0; k < width; ++k) {
      double mixed = 0.0;
      for (std::int64_t j = 0; j < keys; ++j) {
        mixed += p[static_cast<std::size_t>(j)] * load(a.v, index(a.v, b, h, j, k));
      }
      store(a.out, index(a.out, b, h, i, k), (1.0 + planted.out) * mixed / sum);
    }
    store(a.stats, index(a.stats, b, h, i, 0), (1.0 + planted.stats) * (most + std::log(sum)));
  };
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t h = 0; h < heads; ++h) {
      for (std::int64_t i = 0; i < queries; ++i) row(b, h, i);
    }
  }
}

}  // namespace cdt::emulation
