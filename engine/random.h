// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011). A draw is a pure function
// of (seed, step, site, row, column), so masks are equal at any thread count and on every device.
// Rows are counted over the samples of the whole batch, also where a process has only some of them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace cdt {

/// Identifies a dropout mask. Each dropout call of a step has its own site, numbered in forward
/// order.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t site = 0;
  /// Probability of dropping, in [0, 1). 0 means identity.
  float p = 0.0F;
  /// Added to every row: the rows of the samples before the first of this process.
  std::uint32_t first_row = 0;

  /// An element is dropped iff its 16-bit draw is below threshold(), so the probability is p
  /// rounded to a multiple of 2^-16. A p above 0 never becomes 0, nor does one below 1 become 1.
  std::uint32_t threshold() const {
    if (p <= 0.0F) return 0;
    const auto nearest = static_cast<std::uint32_t>(std::lround(static_cast<double>(p) * 65536.0));
    return std::clamp(nearest, 1U, 65535U);
  }
  /// The multiplier of kept elements. It belongs to the rounded probability, so the expected value
  /// of a masked element is the element, also where p is close to 0 or 1.
  float scale() const { return 65536.0F / static_cast<float>(65536U - threshold()); }
};
inline constexpr DropoutKey kNoDropout{};

/// Runs the ten rounds. counter and key as in the paper; returns four 32-bit words.
inline std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                               std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32U) ^ counter[1] ^ key0, static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32U) ^ counter[3] ^ key1, static_cast<std::uint32_t>(a)};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

/// Returns the 16-bit draw for element (row, col) of a dropout mask. Columns form groups of 64, and
/// one counter serves eight of them, c, c + 1, c + 16, c + 17, ..., c + 49 with c even and below
/// 16:
///   counter = (8 * (col / 64) + col % 16 / 2, first_row + row, site, step),
///   word = col % 64 / 16,
///   the word's low half for even columns and its high half for odd ones.
/// So word w of the eight counters, in order, is the draws of sixteen adjacent columns, and two
/// counters serve the four adjacent columns of each quarter that a GPU thread moves at once.
inline std::uint32_t dropout_draw(const DropoutKey& key, std::uint32_t row, std::uint32_t col) {
  const std::uint32_t within = col % 64U;
  const std::uint32_t word =
      philox4x32({8U * (col / 64U) + within % 16U / 2U, key.first_row + row, key.site, key.step},
                 static_cast<std::uint32_t>(key.seed),
                 static_cast<std::uint32_t>(key.seed >> 32U))[within / 16U];
  return word >> 16U * (col % 2U) & 0xFFFFU;
}

/// Returns the multiplier of element (row, col): 0 or scale().
inline float dropout_factor(const DropoutKey& key, std::uint32_t row, std::uint32_t col) {
  if (key.p <= 0.0F) return 1.0F;
  return dropout_draw(key, row, col) >= key.threshold() ? key.scale() : 0.0F;
}

/// A sequential stream of the same generator, for initialisation, shuffling and the bootstrap.
/// `stream` separates purposes under one seed. Its step word is 0xffffffff, which no dropout mask
/// uses.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint32_t stream) : seed_(seed), stream_(stream) {}
  std::uint32_t next_u32();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform integer in [0, n), without modulo bias.
  std::uint64_t below(std::uint64_t n);
  /// Standard normal by Box-Muller.
  double normal();

 private:
  std::uint64_t seed_;
  std::uint32_t stream_;
  std::uint64_t block_ = 0;
  int used_ = 4;
  std::array<std::uint32_t, 4> words_{};
};

}  // namespace cdt
