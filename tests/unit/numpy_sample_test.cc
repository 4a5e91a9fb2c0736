#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "apps/attribute/choice.h"

namespace cdt {
namespace {

using Sample = std::vector<std::size_t>;

// Expected: np.random.seed(SEED); np.random.choice(N, COUNT, replace=False), NumPy 2.4.6.

/// The samples behind the paper's Figures 3 and 4: 100 of the 996 validation pairs, seed 42.
const Sample kPaper{832, 970, 96,  587, 450, 266, 290, 158, 668, 572, 70,  210, 76,  975, 215,
                    634, 479, 423, 552, 314, 770, 247, 221, 582, 321, 355, 581, 292, 538, 59,
                    568, 946, 168, 328, 713, 974, 244, 823, 365, 547, 792, 934, 677, 544, 602,
                    880, 23,  30,  309, 10,  801, 633, 332, 464, 422, 265, 198, 522, 493, 388,
                    533, 657, 863, 718, 835, 456, 289, 904, 381, 344, 425, 750, 39,  605, 649,
                    596, 66,  296, 67,  235, 430, 199, 892, 323, 807, 310, 260, 621, 670, 88,
                    63,  822, 943, 598, 895, 280, 554, 784, 966, 107};

TEST(NumpySampleTest, ThePapersSamples) { EXPECT_EQ(numpy_legacy_choice(42, 996, 100), kPaper); }

TEST(NumpySampleTest, OtherSeedsAndSizes) {
  EXPECT_EQ(numpy_legacy_choice(0, 10, 10), (Sample{2, 8, 4, 9, 1, 6, 7, 3, 0, 5}));
  EXPECT_EQ(numpy_legacy_choice(7, 1, 1), (Sample{0}));
  EXPECT_EQ(numpy_legacy_choice(123456789, 1025, 5), (Sample{915, 496, 550, 692, 718}));
  EXPECT_EQ(numpy_legacy_choice(4294967295U, 300, 4), (Sample{110, 21, 54, 6}));
}

TEST(NumpySampleTest, AWholeSampleIsAPermutation) {
  Sample all = numpy_legacy_choice(3, 1000, 1000);
  std::sort(all.begin(), all.end());
  Sample ascending(1000);
  std::iota(ascending.begin(), ascending.end(), std::size_t{0});
  EXPECT_EQ(all, ascending);
}

}  // namespace
}  // namespace cdt
