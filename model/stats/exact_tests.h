// Exact tests of counts, and q-values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

/// A 2 x 2 table of counts:
///                  in the class   not in it
///   top bins            a             b
///   other bins          c             d
struct CountTable {
  std::int64_t a = 0, b = 0, c = 0, d = 0;
};

struct FisherTest {
  double odds_ratio = 0;   // a d / (b c), infinity where only the denominator is 0, NaN for 0 / 0
  double p_less = 1;       // of a count of a or less, given the margins (hypergeometric)
  double p_greater = 1;    // of a or more
  double p_doubled = 1;    // two-sided: twice the smaller of these, at most 1
  double p_two_sided = 1;  // of all tables no more probable than this one, as SciPy's fisher_exact
};
FisherTest fisher_exact(const CountTable& table);

/// q-values of Benjamini and Hochberg (1995) in the order of the p-values: the least false
/// discovery rate at which each would be called. NaN p-values stay NaN and do not count.
std::vector<double> benjamini_hochberg(std::span<const double> p);

}  // namespace cdt
