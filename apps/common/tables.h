// Text of tables on the terminal: printf into a string, and cells for numbers that may be
// undefined.
#pragma once

#include <string>

#include "model/stats/bootstrap.h"
#include "model/stats/null_tests.h"

namespace cdt {

/// Returns what printf would print, of any length.
__attribute__((format(printf, 1, 2))) std::string text(const char* format, ...);

/// `value` with `digits` decimals, right-aligned in `width`; with an exponent if it does not fit
/// otherwise; "-" if it is undefined. A width of 0 takes what is needed, up to 1e9.
std::string number_cell(double value, int width, int digits);
/// A p-value with two digits; "-" if it is undefined.
std::string p_cell(double p, int width);
/// "0.012 ± 0.002" with its Monte Carlo error, "≤ 0.0002" at its floor, or only the p if there is
/// no error; right-aligned in `width`.
std::string p_cell(const ResampledP& p, int width);
/// "[low, high]", right-aligned in `width`; "-" if it is undefined.
std::string interval_cell(const Interval& interval, int width, int digits);
/// Wraps `words` into lines of at most 100 columns; the first follows `head`, the others are
/// indented as far.
std::string wrapped(const std::string& head, const std::string& words);
inline bool is_defined(const Interval& interval) {
  return interval.low <= interval.high;  // false if one is NaN
}

}  // namespace cdt
