// Numbers as text for readers.
#pragma once

#include <string>

#include "apps/report/html.h"
#include "model/stats/bootstrap.h"
#include "model/stats/null_tests.h"

namespace cdt {

/// "0.831", with a true minus sign; with a power of ten from 1e9 on; an en dash if undefined.
std::string fixed(double value, int digits);
/// Gives the negative numbers in another program's sentence a true minus sign.
std::string with_true_minus(std::string sentence);
/// "95.5 %"
std::string percent(double share, int digits = 1);
/// "[0.807, 0.851]"
std::string interval_text(const Interval& interval, int digits);
/// "1.5 [1.4, 1.6]", both times `scale`; the number alone if an end of the interval is not finite
/// or both ends read the same.
std::string with_interval(const Estimate& estimate, int digits, double scale = 1.0);
/// "12 480", with narrow no-break spaces between thousands.
std::string count_text(std::int64_t count);
/// 0.03 as "0.030", 6.6e-185 as 6.6 x 10^-185.
Html p_value(double p);
/// p with its Monte Carlo error, "0.012 ± 0.002", or "≤ 0.0002" at its floor; p alone if there is
/// no error.
Html p_value(const ResampledP& p);
/// p_value() of the weaker of two tests.
Html weaker_p(const NullTest& first, const NullTest& second);
inline constexpr const char* kHowPIsWritten =
    "\u00b1 is its Monte Carlo error, \u2264 means that no replicate was as extreme, and an exact "
    "p has neither.";
/// "720 pairs", "1 pair"
std::string counted(std::int64_t count, const std::string& noun);

}  // namespace cdt
