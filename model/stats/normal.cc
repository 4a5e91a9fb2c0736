#include "model/stats/normal.h"

#include <cmath>
#include <numbers>

namespace cdt {

double normal_quantile(double p) {
  double low = -40.0, high = 40.0;
  for (;;) {
    const double middle = low + 0.5 * (high - low);
    if (middle <= low || middle >= high) return middle;
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < p ? low : high) = middle;
  }
}

}  // namespace cdt
