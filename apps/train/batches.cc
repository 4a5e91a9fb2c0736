#include "apps/train/batches.h"

#include <numeric>
#include <utility>

#include "engine/random.h"

namespace cdt {
namespace {

// Streams of the shuffles: apart from those of the initialisation and the bootstrap.
constexpr std::uint32_t kShuffleStream = 0x40000000U;

}  // namespace

std::vector<std::int32_t> epoch_order(std::int64_t n, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(seed, kShuffleStream + static_cast<std::uint32_t>(epoch));
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random.below(i)]);
  }
  return order;
}

}  // namespace cdt
