#include "engine/random.h"

#include <cmath>

namespace cdt {

std::uint32_t RandomStream::next_u32() {
  if (used_ == 4) {
    words_ =
        philox4x32({static_cast<std::uint32_t>(block_), static_cast<std::uint32_t>(block_ >> 32U),
                    stream_, 0xFFFFFFFFU},
                   static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32U));
    ++block_;
    used_ = 0;
  }
  return words_[static_cast<std::size_t>(used_++)];
}

double RandomStream::uniform() {
  const std::uint64_t high = next_u32() >> 5U;
  const std::uint64_t low = next_u32() >> 6U;
  return static_cast<double>((high << 26U) | low) * 0x1.0p-53;
}

std::uint64_t RandomStream::below(std::uint64_t n) {
  const std::uint64_t limit = ~std::uint64_t{0} - (~std::uint64_t{0} % n + 1) % n;
  while (true) {
    const std::uint64_t high = next_u32();
    const std::uint64_t draw = (high << 32U) | next_u32();
    if (draw <= limit) return draw % n;
  }
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(6.283185307179586476925 * uniform());
}

}  // namespace cdt
