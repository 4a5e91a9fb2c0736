#include "apps/attribute/numpy_sample.h"

#include <bit>
#include <numeric>
#include <random>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

/// RandomState's integer in [0, most]: 32-bit words cut to the bits of `most` until one fits.
std::size_t interval(std::mt19937& words, std::uint32_t most) {
  const int bits = std::bit_width(most);
  const std::uint32_t mask = bits == 0 ? 0U : 0xFFFFFFFFU >> static_cast<unsigned>(32 - bits);
  std::uint32_t drawn = words() & mask;
  while (drawn > most) drawn = words() & mask;
  return drawn;
}

}  // namespace

std::vector<std::size_t> numpy_legacy_choice(std::uint32_t seed, std::size_t n, std::size_t count) {
  CDT_CHECK(count <= n && n <= 0xFFFFFFFFU, "a sample is no larger than what it is drawn from");
  // The seeding of both is Knuth's, as in MT19937's authors' code.
  std::mt19937 words(seed);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = n; i-- > 1;) {
    std::swap(order[i], order[interval(words, static_cast<std::uint32_t>(i))]);
  }
  order.resize(count);
  return order;
}

}  // namespace cdt
