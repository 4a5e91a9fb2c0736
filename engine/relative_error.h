// The relative error between two tensors.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace cdt {

/// Returns ||got - want|| / ||want|| in float64, or ||got - want|| if want is zero. Infinite if the
/// error is not finite or the sizes differ.
template <class Number = float>
double relative_error(const std::vector<Number>& got, const std::vector<Number>& want) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (got.size() != want.size()) return kInfinite;
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double d = static_cast<double>(got[i]) - static_cast<double>(want[i]);
    error += d * d;
    norm += static_cast<double>(want[i]) * static_cast<double>(want[i]);
  }
  if (!std::isfinite(error)) return kInfinite;
  return norm > 0.0 ? std::sqrt(error / norm) : std::sqrt(error);
}

}  // namespace cdt
