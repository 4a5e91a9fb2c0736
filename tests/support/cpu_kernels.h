// A CPU backend with memory, for kernel tests, and comparison with float64 references.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/cpu/cpu_backend.h"
#include "engine/random.h"

namespace cdt::test {

inline constexpr double kEps = std::numeric_limits<float>::epsilon();

class CpuKernels {
 public:
  explicit CpuKernels(int threads = 2)
      : backend(threads), arena(backend, "test"), scratch(backend, "scratch") {}

  /// Uniform in [-1, 1), a function of the element count and the seed.
  Tensor random(const Shape& shape, std::uint64_t seed) {
    const Tensor t = arena.tensor(shape);
    RandomStream stream(seed, 7);
    for (std::int64_t i = 0; i < t.count(); ++i) {
      t.data[i] = static_cast<float>(2.0 * stream.uniform() - 1.0);
    }
    return t;
  }
  Tensor filled(const Shape& shape, float value) {
    const Tensor t = arena.tensor(shape);
    backend.fill(t, value);
    return t;
  }

  CpuBackend backend;
  Arena arena;
  Arena scratch;
};

inline std::vector<float> values(const Tensor& t) { return {t.data, t.data + t.count()}; }

/// Checks |got - want| <= tolerance everywhere; names the first miss.
inline void expect_near(const Tensor& got, const std::vector<double>& want, double tolerance,
                        const char* what) {
  ASSERT_EQ(got.count(), static_cast<std::int64_t>(want.size())) << what;
  for (std::int64_t i = 0; i < got.count(); ++i) {
    const double miss = std::abs(double{got.data[i]} - want[static_cast<std::size_t>(i)]);
    ASSERT_LE(miss, tolerance) << what << " element " << i << " of " << got.shape.to_string();
  }
}

}  // namespace cdt::test
