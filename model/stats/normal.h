// The standard normal distribution.
#pragma once

namespace cdt {

/// Quantile of p in (0, 1), by bisection down to neighbouring doubles.
double normal_quantile(double p);

}  // namespace cdt
