// PyTorch 2.x's CPU random numbers, bit for bit: at::CPUGeneratorImpl and the draws that initial
// values and sample orders need. PyTorch's float32 draws differ in their last bits between CPUs
// with and without AVX2; these are the AVX2 (and AVX-512) ones, on any CPU.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace cdt {

/// The generator as torch.manual_seed(seed) or torch.Generator().manual_seed(seed) leaves it.
class TorchGenerator {
 public:
  /// PyTorch uses only the low 32 bits of the seed.
  explicit TorchGenerator(std::uint64_t seed) : engine_(static_cast<std::uint32_t>(seed)) {}

  std::uint32_t next_u32() { return static_cast<std::uint32_t>(engine_()); }
  /// Combines two draws, the first as the high word. torch.empty((), dtype=torch.int64).random_()
  /// is this without its highest bit.
  std::uint64_t next_u64();
  void skip(std::uint64_t draws) { engine_.discard(draws); }

  /// tensor.uniform_(-bound, bound) in float32: one draw per value.
  void uniform(double bound, std::span<float> out);
  /// torch.randn in float32. For 16 values or more, Box-Muller over blocks of 16; fewer values are
  /// drawn singly, in Box-Muller pairs whose second half may be left for the next call.
  void normal(std::span<float> out);
  /// torch.randperm(n), n from 1 to kMostPermuted: n - 1 draws.
  std::vector<std::int32_t> permutation(std::int64_t n);
  static constexpr std::int64_t kMostPermuted = 0xFFFFFFFF / 20 - 1;  // above, it draws differently

 private:
  double uniform_double();
  float single_normal();

  std::mt19937 engine_;
  std::optional<double> second_normal_;  // second half of a pair whose first half was used
};

}  // namespace cdt
