// NumPy's legacy random samples, so that the samples of a study made in Python can be drawn again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cdt {

/// What np.random.seed(seed); np.random.choice(n, count, replace=False) returns, in its order: the
/// front of RandomState.permutation(n). Needs count <= n < 2^32.
std::vector<std::size_t> numpy_legacy_choice(std::uint32_t seed, std::size_t n, std::size_t count);

}  // namespace cdt
