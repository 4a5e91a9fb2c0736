#include "engine/torch_random.h"

#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kBlock = 16;
constexpr float kTwoPi = 2.0F * std::numbers::pi_v<float>;

/// Evaluates a polynomial, highest coefficient first, one fused multiply-add per step.
template <std::size_t N>
float polynomial(const std::array<float, N>& coefficients, float x) {
  float y = coefficients[0];
  for (std::size_t i = 1; i < N; ++i) y = std::fma(y, x, coefficients[i]);
  return y;
}

// Logarithm, sine and cosine are the float32 versions of the Cephes library (S. L. Moshier).
// PyTorch computes them eight at a time and its compiler fuses multiplies and adds; here the fused
// operations are explicit, so the bits are the same on any CPU and with any compiler.

/// Natural logarithm; x > 0 and not subnormal.
float cephes_log(float x) {
  constexpr std::array<float, 9> kLog = {7.0376836292E-2F,  -1.1514610310E-1F, 1.1676998740E-1F,
                                         -1.2420140846E-1F, 1.4249322787E-1F,  -1.6668057665E-1F,
                                         2.0000714765E-1F,  -2.4999993993E-1F, 3.3333331174E-1F};
  constexpr float kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  int exponent = 0;
  float m = std::frexp(x, &exponent);  // [0.5, 1)
  const bool small = m < 0.707106781186547524F;
  m = (m - 1.0F) + (small ? m : 0.0F);
  const auto e = static_cast<float>(small ? exponent - 1 : exponent);
  const float z = m * m;
  float y = std::fma(polynomial(kLog, m) * m, z, e * kLn2Low);
  y = std::fma(-z, 0.5F, y);
  return std::fma(e, kLn2High, m + y);
}

struct SineCosine {
  float sine = 0.0F, cosine = 0.0F;
};

/// Sine and cosine for 0 <= x < 8192.
SineCosine cephes_sincos(float x) {
  constexpr std::array<float, 3> kSine = {-1.9515295891E-4F, 8.3321608736E-3F, -1.6666654611E-1F};
  constexpr std::array<float, 3> kCosine = {2.443315711809948E-5F, -1.388731625493765E-3F,
                                            4.166664568298827E-2F};
  constexpr std::array<float, 3> kQuarterPi = {-0.78515625F, -2.4187564849853515625e-4F,
                                               -3.77489497744594108e-8F};  // -pi/4 in three parts
  // The nearest even multiple of pi/4, and the remainder of x.
  const int octant = (static_cast<int>(x * 1.27323954473516F) + 1) & ~1;
  for (const float part : kQuarterPi) x = std::fma(static_cast<float>(octant), part, x);
  const float z = x * x;
  const float cosine = std::fma(polynomial(kCosine, z) * z, z, -(z * 0.5F)) + 1.0F;
  const float sine = std::fma(polynomial(kSine, z) * z, x, x);
  const bool swapped = (octant & 2) != 0;
  const bool lower = (octant & 4) != 0;  // in the half where the sine is negative
  const float s = swapped ? cosine : sine, c = swapped ? sine : cosine;
  return {lower ? -s : s, lower != swapped ? -c : c};
}

/// Turns a block of uniform draws in [0, 1) into normal draws, in-place.
void box_muller(std::span<float, kBlock> block) {
  constexpr std::size_t kHalf = kBlock / 2;
  for (std::size_t i = 0; i < kHalf; ++i) {
    const float radius = std::sqrt(-2.0F * cephes_log(1.0F - block[i]));
    const auto [sine, cosine] = cephes_sincos(kTwoPi * block[i + kHalf]);
    block[i] = radius * cosine + 0.0F;  // no -0
    block[i + kHalf] = radius * sine + 0.0F;
  }
}

/// Uniform in [0, 1), 24 bits.
float uniform_float(std::uint32_t draw) {
  return static_cast<float>(draw & 0xFFFFFFU) * 0x1.0p-24F;
}

}  // namespace

std::uint64_t TorchGenerator::next_u64() {
  const std::uint64_t high = next_u32();
  return (high << 32U) | next_u32();
}

double TorchGenerator::uniform_double() {
  return static_cast<double>(next_u64() & ((std::uint64_t{1} << 53U) - 1)) * 0x1.0p-53;
}

void TorchGenerator::uniform(double bound, std::span<float> out) {
  const auto from = static_cast<float>(-bound), to = static_cast<float>(bound);
  for (float& x : out) x = std::fma(uniform_float(next_u32()), to - from, from);
}

void TorchGenerator::normal(std::span<float> out) {
  if (out.size() < kBlock) {
    for (float& x : out) x = single_normal();
    return;
  }
  for (float& x : out) x = uniform_float(next_u32());
  std::size_t at = 0;
  for (; at + kBlock <= out.size(); at += kBlock) {
    box_muller(out.subspan(at).first<kBlock>());
  }
  if (at == out.size()) return;
  // The last 16 are drawn again, including any that are already transformed.
  const std::span<float, kBlock> last = out.last<kBlock>();
  for (float& x : last) x = uniform_float(next_u32());
  box_muller(last);
}

float TorchGenerator::single_normal() {
  if (second_normal_) {
    const double value = *second_normal_;
    second_normal_.reset();
    return static_cast<float>(value);
  }
  const double angle = 2.0 * std::numbers::pi * uniform_double();
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform_double()));
  second_normal_ = radius * std::sin(angle);
  return static_cast<float>(radius * std::cos(angle));
}

std::vector<std::int32_t> TorchGenerator::permutation(std::int64_t n) {
  CDT_CHECK(n >= 1 && n <= kMostPermuted, "a permutation of " + std::to_string(n));
  std::vector<std::int32_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    std::swap(order[i], order[i + next_u32() % (order.size() - i)]);
  }
  return order;
}

}  // namespace cdt
