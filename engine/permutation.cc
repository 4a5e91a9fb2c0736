#include "engine/permutation.h"

#include <cstddef>
#include <numeric>
#include <utility>

namespace cdt {

std::vector<std::int32_t> permutation(std::int64_t n, RandomStream random) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[random.below(i)]);
  return out;
}

}  // namespace cdt
