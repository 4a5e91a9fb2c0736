#include "tests/emulation/tensor_core.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace cdt::emulation {
namespace {

constexpr int kBias = 1023;  // exponent bias of a double
constexpr unsigned kMantissa = 52;
constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;
constexpr int kMostExponent = 127;    // of a float32
constexpr int kLeastExponent = -126;  // of a normal float32
constexpr int kPlaces = 23;

double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + kBias) << kMantissa);
}

/// Rounds towards zero.
float cut(double x) {
  const auto rounded = static_cast<float>(x);
  const bool away = std::fabs(static_cast<double>(rounded)) > std::fabs(x);
  return away ? std::nextafter(rounded, 0.0F) : rounded;
}

}  // namespace

float tensor_core_sum(float c, const std::array<double, kTensorCoreStep>& products) {
  // Magnitudes compare like their bits as integers.
  const auto magnitude = [](double x) { return std::bit_cast<std::uint64_t>(x) & ~kSign; };
  std::uint64_t largest = magnitude(c);
  for (const double p : products) largest = std::max(largest, magnitude(p));
  const int exponent = static_cast<int>(largest >> kMantissa) - kBias;
  if (largest == 0 || exponent > kMostExponent) {
    double sum = c;
    for (const double p : products) sum += p;
    return static_cast<float>(sum);
  }
  const int last = std::max(exponent, kLeastExponent) - kPlaces;
  const double units = power_of_two(-last);
  auto sum = static_cast<std::int64_t>(static_cast<double>(c) * units);
  for (const double p : products) sum += static_cast<std::int64_t>(p * units);
  return cut(static_cast<double>(sum) * power_of_two(last));
}

}  // namespace cdt::emulation
