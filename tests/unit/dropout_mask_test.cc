// Dropout masks: the generator against published words, the layout against a plain form of it, the
// vectorised rows against single elements, and the distribution.
#include "engine/cpu/dropout_mask.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/plain.h"

namespace cdt {
namespace {

using test::plain_draw;
using test::plain_dropped_draws;
using test::plain_philox;

/// Row `row` of a mask of `cols` columns: 1 where an element is kept.
std::vector<float> mask_row(const MaskColumns& mask, std::uint32_t row, std::int64_t cols) {
  std::vector<float> out(static_cast<std::size_t>(cols), -1.0F);
  mask.for_kept(row, 0, cols, [&](std::int64_t i, int lanes, I32 kept) {
    store(out.data() + i, keep_where(kept, splat(1.0F)), lanes);
  });
  return out;
}

// The known answers that the generator's authors publish with it (Random123).
TEST(DropoutMask, PhiloxGivesThePublishedWords) {
  struct Known {
    std::array<std::uint32_t, 4> counter;
    std::uint32_t key0, key1;
    std::array<std::uint32_t, 4> words;
  };
  const std::uint32_t all = 0xFFFFFFFFU;
  for (const Known& k :
       {Known{{0, 0, 0, 0}, 0, 0, {0x6627E8D5U, 0xE169C58DU, 0xBC57AC4CU, 0x9B00DBD8U}},
        Known{{all, all, all, all}, all, all, {0x408F276DU, 0x41C83B0EU, 0xA20BC7C6U, 0x6D5451FDU}},
        Known{{0x243F6A88U, 0x85A308D3U, 0x13198A2EU, 0x03707344U},
              0xA4093822U,
              0x299F31D0U,
              {0xD16CFE09U, 0x94FDCCEBU, 0x5001E420U, 0x24126EA1U}}}) {
    EXPECT_EQ(philox4x32(k.counter, k.key0, k.key1), k.words);
    EXPECT_EQ(
        plain_philox({k.counter.begin(), k.counter.end()}, std::uint64_t{k.key1} << 32U | k.key0),
        std::vector<std::uint32_t>(k.words.begin(), k.words.end()));
  }
}

TEST(DropoutMask, DrawsFollowTheStatedLayout) {
  const DropoutKey key{0xFEDCBA9876543210ULL, 4000000001U, 3000000007U, 0.3F, 5};
  for (const std::uint32_t row : {0U, 1U, 65536U, 4294967295U}) {
    for (const std::uint32_t first : {0U, 128U, 4294967168U}) {
      for (std::uint32_t col = first; col < first + 128U - 1U; ++col) {
        ASSERT_EQ(dropout_draw(key, row, col), plain_draw(key, row, col)) << row << " " << col;
      }
    }
  }
}

TEST(DropoutMask, RowsAreCountedFromTheFirst) {
  const DropoutKey whole{11, 17, 3, 0.3F}, part{11, 17, 3, 0.3F, 70001};
  for (std::uint32_t col = 0; col < 128; ++col) {
    EXPECT_EQ(dropout_draw(part, 9, col), dropout_draw(whole, 70010, col)) << col;
  }
}

TEST(DropoutMask, ProbabilityIsTheNearestOfItsSteps) {
  struct Case {
    float p;
    std::uint32_t threshold;
  };
  const float below_one = std::nextafter(1.0F, 0.0F);
  for (const Case& c : {Case{0.0F, 0}, Case{1e-30F, 1}, Case{1.0F / 65536, 1},
                        Case{2.4F / 65536, 2}, Case{0.1F, 6554}, Case{0.3F, 19661},
                        Case{0.5F, 32768}, Case{0.9999F, 65529}, Case{below_one, 65535}}) {
    const DropoutKey key{1, 0, 0, c.p};
    EXPECT_EQ(key.threshold(), c.threshold) << c.p;
    EXPECT_EQ(key.threshold(), plain_dropped_draws(c.p)) << c.p;
    const double kept = 1.0 - c.threshold / 65536.0;
    EXPECT_NEAR(kept * double{key.scale()}, 1.0, 6e-8) << c.p;  // the mean of a masked 1
  }
}

TEST(DropoutMask, RowsEqualSingleElements) {
  constexpr std::int64_t kCols = 400;
  for (const float p : {0.3F, 1e-4F, 0.99F}) {
    const DropoutKey key{0x123456789ABCDEFULL, 17, 3, p, 123456789};
    const MaskColumns mask(key, kCols);
    for (const std::int64_t begin : {0, 64, 128}) {
      for (const std::int64_t length : {1, 4, 5, 8, 15, 16, 17, 31, 63, 64, 65, 100, 128, 203}) {
        const std::uint32_t row = 4000000000U + static_cast<std::uint32_t>(length);
        std::vector<float> factors(static_cast<std::size_t>(begin + length + 1), -1.0F);
        mask.for_kept(row, begin, begin + length, [&](std::int64_t i, int lanes, I32 kept) {
          store(factors.data() + i, keep_where(kept, splat(key.scale())), lanes);
        });
        for (std::int64_t i = begin; i < begin + length; ++i) {
          ASSERT_EQ(factors[static_cast<std::size_t>(i)],
                    dropout_factor(key, row, static_cast<std::uint32_t>(i)))
              << "row " << row << ", column " << i;
        }
        ASSERT_EQ(factors.back(), -1.0F);  // nothing past the end
      }
    }
  }
}

TEST(DropoutMask, WithoutDropoutAllIsKept) {
  int kept_elements = 0;
  MaskColumns({}, 77).for_kept(0, 0, 77, [&](std::int64_t, int lanes, I32 kept) {
    for (int i = 0; i < lanes; ++i) kept_elements += kept[i] != 0 ? 1 : 0;
  });
  EXPECT_EQ(kept_elements, 77);
}

// The number kept is binomial, with the probability in steps of 2^-16.
TEST(DropoutMask, KeepsTheRightShare) {
  constexpr std::int64_t kRows = 600;
  constexpr std::int64_t kCols = 2360;
  for (const float p : {1e-6F, 1e-3F, 0.1F, 0.3F, 0.5F, 0.9F, 0.999F, 0.99999F}) {
    const MaskColumns mask({42, 0, 1, p}, kCols);
    double kept = 0;
    for (std::uint32_t r = 0; r < kRows; ++r) {
      for (const float x : mask_row(mask, r, kCols)) kept += x;
    }
    const double n = static_cast<double>(kRows * kCols);
    const double q = 1.0 - plain_dropped_draws(p) / 65536.0;
    EXPECT_NEAR(kept, n * q, 5.0 * std::sqrt(n * q * (1.0 - q))) << p;
    EXPECT_GT(kept, 0.0) << p;
    EXPECT_LT(kept, n) << p;
  }
}

// Pairs of elements that share a word, a counter, a group of columns or a row are both kept as
// often as independent ones.
TEST(DropoutMask, NeighboursAreIndependent) {
  constexpr std::uint32_t kRows = 800;
  constexpr std::int64_t kCols = 1024;
  struct Pair {
    std::size_t row, column;
  };
  for (const float p : {0.1F, 0.5F, 0.9F}) {
    const MaskColumns mask({7, 3, 2, p}, kCols);
    std::vector<std::vector<float>> rows;
    for (std::uint32_t r = 0; r < kRows; ++r) rows.push_back(mask_row(mask, r, kCols));
    for (const Pair& apart : {Pair{0, 1}, Pair{0, 2}, Pair{0, 16}, Pair{0, 17}, Pair{0, 32},
                              Pair{0, 64}, Pair{1, 0}, Pair{1, 1}, Pair{2, 0}, Pair{64, 0}}) {
      double both = 0;
      double n = 0;
      for (std::size_t r = 0; r + apart.row < kRows; ++r) {
        for (std::size_t c = 0; c + apart.column < kCols; ++c) {
          both += rows[r][c] * rows[r + apart.row][c + apart.column];
          n += 1;
        }
      }
      const double q = 1.0 - plain_dropped_draws(p) / 65536.0;
      // Pairs overlap in one element, which adds up to 2 cov = 2 q^3 (1 - q) to the variance.
      const double variance = q * q * (1.0 - q * q) + 2.0 * q * q * q * (1.0 - q);
      EXPECT_NEAR(both / n, q * q, 5.0 * std::sqrt(variance / n))
          << p << ": " << apart.row << " rows, " << apart.column << " columns apart";
    }
  }
}

}  // namespace
}  // namespace cdt
