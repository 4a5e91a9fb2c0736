// An attribution number beside what chance gives. Two nulls (model/peak_tests.h,
// model/overlap_tests.h):
// - independence: each peak in a uniformly random bin, each top a random set of bins;
// - circular shifts: the profiles of each enhancer turned around the window together by one random
//   number of bins, 1 to L - 1, which keeps how alike its genes are and, for tops, that
//   neighbouring bins score alike.
// The first takes pairs and bins for independent, which they are not; the larger p of the two is
// the one to quote. All p are two-sided: twice the smaller tail.
#pragma once

#include <cstdint>
#include <vector>

namespace cdt {

struct NullOptions {
  std::int64_t replicates = 9999;
  std::uint64_t seed = 0;
};

/// An observed number against its distribution under a null; NaN where there is none.
struct NullTest {
  double observed = 0;
  double expectation = 0, deviation = 0;  // mean and standard deviation under the null
  double low = 0, high = 0;               // its central 95 %
  double p = 0;
  double z = 0;  // (observed - expectation) / deviation; NaN if that is 0
};

/// From replicates drawn under the null, (1 + r) / (1 + n) of them in each tail.
NullTest null_test(double observed, std::vector<double> replicates);

/// For a number that has no null distribution.
NullTest no_test();

/// (observed - expectation) / deviation; NaN if the deviation is 0.
double z_score(double observed, double expectation, double deviation);

}  // namespace cdt
