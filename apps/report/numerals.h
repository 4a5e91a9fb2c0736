// Numbers as a reader sees them.
#pragma once

#include <string>

#include "apps/report/html.h"
#include "model/stats/bootstrap.h"
#include "model/stats/null_tests.h"

namespace cdt {

/// "0.831", with a true minus sign; from 1e9 on with a power of ten; an en dash where undefined.
std::string fixed(double value, int digits);
/// A sentence of another program's, its negative numbers with a true minus sign.
std::string with_true_minus(std::string sentence);
/// "95.5 %"
std::string percent(double share, int digits = 1);
/// "[0.807, 0.851]"
std::string interval_text(const Interval& interval, int digits);
/// "1.5 [1.4, 1.6]", both times `scale`, or the number alone where an end of the interval is not
/// finite or both ends read alike.
std::string with_interval(const Estimate& estimate, int digits, double scale = 1.0);
/// "12 480", thousands apart by a narrow no-break space.
std::string count_text(std::int64_t count);
/// 0.03 as "0.030", 6.6e-185 as 6.6 x 10^-185.
Html p_value(double p);
/// With its Monte Carlo error, "0.012 ± 0.002", or "≤ 0.0002" at its floor; the p alone without an
/// error.
Html p_value(const ResampledP& p);
/// p_value() of the weaker of two tests.
Html weaker_p(const NullTest& first, const NullTest& second);
inline constexpr const char* kHowPIsWritten =
    "\u00b1 is its Monte Carlo error, \u2264 stands where no replicate was as extreme, and an "
    "exact p "
    "has neither.";
/// "720 pairs", "1 pair"
std::string counted(std::int64_t count, const std::string& noun);

}  // namespace cdt
