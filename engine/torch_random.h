// The random numbers of PyTorch 2.x on a CPU, bit for bit: at::CPUGeneratorImpl and the draws that
// initial values and orders are made of. Its float32 draws have other last bits on CPUs with AVX2
// and on those without; these are the ones with AVX2 (and AVX-512), on whatever CPU they are made.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace cdt {

/// What torch.manual_seed(seed) leaves behind, or torch.Generator().manual_seed(seed).
class TorchGenerator {
 public:
  /// Of the seed PyTorch uses the low 32 bits.
  explicit TorchGenerator(std::uint64_t seed) : engine_(static_cast<std::uint32_t>(seed)) {}

  std::uint32_t next_u32() { return static_cast<std::uint32_t>(engine_()); }
  /// Two draws, the first of them high: torch.empty((), dtype=torch.int64).random_() is this
  /// without its highest bit.
  std::uint64_t next_u64();
  void skip(std::uint64_t draws) { engine_.discard(draws); }

  /// tensor.uniform_(-bound, bound) of float32: a draw for each value.
  void uniform(double bound, std::span<float> out);
  /// torch.randn of float32. From 16 values on, Box-Muller over blocks of 16; fewer come one by
  /// one, in pairs that may reach into the next call.
  void normal(std::span<float> out);
  /// torch.randperm(n), n from 1 to kMostPermuted: n - 1 draws.
  std::vector<std::int32_t> permutation(std::int64_t n);
  static constexpr std::int64_t kMostPermuted = 0xFFFFFFFF / 20 - 1;  // beyond, it draws otherwise

 private:
  double uniform_double();
  float single_normal();

  std::mt19937 engine_;
  std::optional<double> second_normal_;  // of a pair whose first is drawn
};

}  // namespace cdt
