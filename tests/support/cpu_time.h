// CPU time, for tests that compare the work of two sizes.
#pragma once

#include <algorithm>
#include <ctime>
#include <limits>

namespace cdt::test {

/// Seconds that one call takes, the smallest of three.
template <typename Action>
double cpu_time(const Action& action) {
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i) {
    const std::clock_t before = std::clock();
    action();
    least = std::min(least, static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC);
  }
  return least;
}

}  // namespace cdt::test
