// Null tests for attribution numbers. There are two nulls (model/stats/peak_tests.h):
// - independence: each peak in a uniformly random bin, each top a random set of bins;
// - circular shifts: all profiles of an enhancer are shifted around the window together by one
//   random number of bins, 1 to L - 1, which preserves the similarity of its genes and, for tops,
// of
//   neighbouring bins.
// The first assumes independent pairs and bins, which they are not; quote the larger p of the two.
// All p are two-sided: twice the smaller tail.
//
// If r of n replicates are at least as extreme on the nearer side, p = 2 (1 + r) / (1 + n). r is
// binomial, so the standard error of p is 2 sqrt(n t (1 - t)) / (1 + n) with the tail t = p / 2.
// If no replicate is that extreme (r = 0), p is at its floor 2 / (1 + n): more replicates could
// give a smaller p, so it is read as "at most", and its error is about as large as itself. If both
// tails exceed 1/2, p is 1 and its error is at most this.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/stats/bootstrap.h"
#include "model/stats/statistics.h"

namespace cdt {

struct NullOptions {
  std::int64_t replicates = 9999;
  std::uint64_t seed = 0;
};

/// Returns twice the smaller of two tails, each including the observed value; at most 1.
double two_sided(double low_tail, double high_tail);

/// A two-sided p from replicates.
struct ResampledP {
  double p = kNaN;
  double error = kNaN;    // Monte Carlo standard error of p
  bool at_floor = false;  // p is at most this

  template <class V>
  void fields(V& v) {
    v("p", p);
    v("p_monte_carlo_error", error);
    v("p_at_floor", at_floor);
  }
};
/// as_low, as_high: the number of the n replicates that are no higher, and no lower, than the
/// observed value.
ResampledP resampled_p(std::int64_t as_low, std::int64_t as_high, std::int64_t n);

/// An observed number and its distribution under a null; NaN if there is none.
struct NullTest {
  double observed = 0;
  double expectation = 0, deviation = 0;  // mean and standard deviation under the null
  double low = 0, high = 0;               // central 95 % under the null
  double p = 0;
  double z = 0;           // (observed - expectation) / deviation; NaN if that is 0
  double p_error = kNaN;  // Monte Carlo; NaN: p is exact
  bool at_floor = false;  // p is at most this

  ResampledP resampled() const { return {p, p_error, at_floor}; }

  template <class V>
  void fields(V& v) {
    Estimate expected{expectation, {low, high}};
    double effect_size = observed / expectation;
    v("expectation", expected);
    v("standard_deviation", deviation);
    v("p", p);
    v("p_monte_carlo_error", p_error);
    v("p_at_floor", at_floor);
    v("z", z);
    v("effect_size", effect_size);
    expectation = expected.value;
    low = expected.interval.low;
    high = expected.interval.high;
  }
};

/// Tests against replicates drawn under the null; each tail is (1 + r) / (1 + n).
NullTest null_test(double observed, std::vector<double> replicates);

/// Returns the result for a number that has no null distribution.
NullTest no_test();

/// Returns the test with the larger p, or one without a p if there is one.
const NullTest& weaker_test(const NullTest& a, const NullTest& b);

/// (observed - expectation) / deviation; NaN if the deviation is 0.
double z_score(double observed, double expectation, double deviation);

/// A 2 x 2 table of counts:
///                  in the class   not in it
///   top bins            a             b
///   other bins          c             d
struct CountTable {
  std::int64_t a = 0, b = 0, c = 0, d = 0;
};

struct FisherTest {
  double odds_ratio = 0;   // a d / (b c); infinity if only the denominator is 0, NaN for 0 / 0
  double p_less = 1;       // for a or less, given the margins (hypergeometric)
  double p_greater = 1;    // for a or more
  double p_doubled = 1;    // two-sided: twice the smaller of these, at most 1
  double p_two_sided = 1;  // all tables no more probable than this, as SciPy's fisher_exact
};
FisherTest fisher_exact(const CountTable& table);

/// Returns q-values (Benjamini and Hochberg 1995) in the order of the p-values: the smallest false
/// discovery rate at which each would be called significant. NaN p-values stay NaN and do not
/// count.
std::vector<double> benjamini_hochberg(std::span<const double> p);

}  // namespace cdt
