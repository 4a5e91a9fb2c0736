// The metrics of the reference's evaluation (docs/paper-vs-code.md): note that r2 is the
// coefficient of determination, not the square of r.
#pragma once

#include <cstdint>
#include <span>

namespace cdt {

struct Metrics {
  std::int64_t n = 0;
  double pearson = 0, pearson_p = 0;    // NaN where undefined, e.g. a constant prediction
  double spearman = 0, spearman_p = 0;  // average ranks for ties, t-based p; NaN likewise
  double r2 = 0;                        // 1 - SSres / SStot; 0 if the targets are constant
  double mse = 0, mae = 0;
};

/// Metrics of float32 predictions and targets of equal length, n >= 1, computed in float64.
Metrics compute_metrics(std::span<const float> prediction, std::span<const float> target);

}  // namespace cdt
