// Dropout masks (engine/random.h), 64 columns at a time: eight Philox counters fill a group.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"
#include "engine/random.h"

namespace cdt {
namespace detail {

/// Multiplies the low half of each lane by m to a 64-bit product.
CDT_INLINE inline U64 wide_product(U64 a, std::uint32_t m) {
#if defined(__AVX512F__)
  return (U64)_mm512_maskz_mul_epu32(0xFF, (__m512i)a, _mm512_set1_epi64(m));
#elif defined(__AVX2__)
  return (U64)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(m));
#else
  return (a & 0xFFFFFFFFULL) * static_cast<std::uint64_t>(m);
#endif
}

/// Philox's eight counters of a group fill kRegisters registers of 64-bit lanes, of which only the
/// low halves matter.
inline constexpr int kRegisters = 16 / kLanes;
using Counters = std::array<U64, kRegisters>;

/// Loads kLanes numbers.
CDT_INLINE inline I32 widened(const std::int16_t* p) {
  using Narrow = std::int16_t __attribute__((vector_size(2 * kLanes)));
  Narrow narrow;
  std::memcpy(&narrow, p, sizeof narrow);
#if defined(__AVX512F__)
  return (I32)_mm512_maskz_cvtepi16_epi32(0xFFFF, (__m256i)narrow);
#elif defined(__AVX2__)
  return (I32)_mm256_cvtepi16_epi32((__m128i)narrow);
#else
  return __builtin_convertvector(narrow, I32);
#endif
}

#if defined(__AVX512F__)
using U16 = std::uint16_t __attribute__((vector_size(32)));
/// The counter in a lane of register i.
constexpr std::uint64_t counter_at(int /*i*/, int lane) { return static_cast<unsigned>(lane); }
/// Part i of the sixteen draws in one word of the counters.
CDT_INLINE inline U16 draws_of(const Counters& word, std::size_t /*i*/) {
  return (U16)_mm512_maskz_cvtepi64_epi32(0xFF, (__m512i)word[0]);
}
#else
using U16 = std::uint16_t __attribute__((vector_size(4 * kLanes)));
/// Even counters fill the first half of the registers, odd ones the other, so that two registers
/// make one of draws.
constexpr std::uint64_t counter_at(int i, int lane) {
  constexpr int kHalf = kRegisters / 2;
  return static_cast<unsigned>(2 * (i % kHalf * (kLanes / 2) + lane) + i / kHalf);
}
CDT_INLINE inline U16 draws_of(const Counters& word, std::size_t i) {
  return (U16)((word[i] & 0xFFFFFFFFULL) | word[i + kRegisters / 2] << 32U);
}
#endif
using I16 = std::int16_t __attribute__((vector_size(sizeof(U16))));
inline constexpr std::size_t kParts = 32 / sizeof(U16);  // of sixteen draws

}  // namespace detail

/// The 64 columns of one group in one row: all bits set where the element is kept.
struct KeptColumns {
  alignas(64) std::int16_t column[64];

  CDT_INLINE I32 lanes_at(std::int64_t i) const { return detail::widened(column + i); }
};

/// Draws the rows of a mask. Much of Philox's first three rounds depends on the column alone; that
/// part is computed once here and shared by the rows.
class MaskColumns {
 public:
  MaskColumns(const DropoutKey& key, std::int64_t cols);

  /// Calls body(column, lanes, kept) over columns [begin, end) of one row, which is number row +
  /// key.first_row of the mask; begin is a multiple of 64.
  template <class Body>
  CDT_INLINE void for_kept(std::uint32_t row, std::int64_t begin, std::int64_t end,
                           const Body& body) const {
    if (groups_.empty()) {
      const I32 all = ~I32{};
      for_lanes(end - begin,
                [&](std::int64_t i, int lanes) CDT_INLINE { body(begin + i, lanes, all); });
      return;
    }
    const Row start(*this, row);
    KeptColumns kept;
    std::int64_t column = begin;
    for (; column + 64 <= end; column += 64) {
      draw(start, column / 64, &kept);
      for (std::int64_t i = 0; i < 64; i += kLanes) body(column + i, kLanes, kept.lanes_at(i));
    }
    if (column == end) return;
    draw(start, column / 64, &kept);
    for_lanes(end - column, [&](std::int64_t i, int lanes)
                                CDT_INLINE { body(column + i, lanes, kept.lanes_at(i)); });
  }

 private:
  static constexpr int kRounds = 10;
  static constexpr int kSharedRounds = 3;
  /// What the third round adds to a row's numbers.
  struct Group {
    detail::Counters second;        // xored with the row's high product, it enters the product
    detail::Counters word0, word2;  // xored with that product and with the row's low product
    detail::Counters word3;
  };
  /// The products of the second round that depend on the row alone.
  struct Row {
    U64 high, low;

    CDT_INLINE Row(const MaskColumns& mask, std::uint32_t row) {
      const std::uint64_t product =
          std::uint64_t{0xD2511F53U} * (mask.row_key_ ^ (mask.first_row_ + row));
      high = U64{} + (product >> 32U);
      low = U64{} + product;
    }
  };

  CDT_INLINE void draw(const Row& row, std::int64_t group, KeptColumns* kept) const {
    const Group& g = groups_[static_cast<std::size_t>(group)];
    detail::Counters word[4];
    for (std::size_t i = 0; i < detail::kRegisters; ++i) {
      const U64 product = detail::wide_product(g.second[i] ^ row.high, 0xCD9E8D57U);
      word[0][i] = (product >> 32U) ^ g.word0[i];
      word[1][i] = product;
      word[2][i] = g.word2[i] ^ row.low;
      word[3][i] = g.word3[i];
    }
    for (std::size_t round = 0; round < kRounds - kSharedRounds; ++round) {
      for (std::size_t i = 0; i < detail::kRegisters; ++i) {
        const U64 a = detail::wide_product(word[0][i], 0xD2511F53U);
        const U64 b = detail::wide_product(word[2][i], 0xCD9E8D57U);
        word[0][i] = (b >> 32U) ^ word[1][i] ^ key0_[round];
        word[1][i] = b;
        word[2][i] = (a >> 32U) ^ word[3][i] ^ key1_[round];
        word[3][i] = a;
      }
    }
    for (std::size_t w = 0; w < 4; ++w) {
      for (std::size_t part = 0; part < detail::kParts; ++part) {
        const detail::I16 keep = detail::draws_of(word[w], part) >= threshold_;
        std::memcpy(kept->column + 16 * w + 16 / detail::kParts * part, &keep, sizeof keep);
      }
    }
  }

  std::vector<Group> groups_;
  U64 key0_[kRounds - kSharedRounds]{}, key1_[kRounds - kSharedRounds]{};
  detail::U16 threshold_;
  std::uint32_t row_key_ = 0;
  std::uint32_t first_row_;
};

/// Processes the rows of t(R, C) on threads: row(r) returns the body that for_kept() runs for row
/// r, whose mask row is key.first_row + first_row + r.
template <class Row>
void for_masked_rows(int threads, const Tensor& t, const DropoutKey& key, std::int64_t first_row,
                     const Row& row) {
  const MaskColumns mask(key, t.cols());
  for_rows(threads, t.rows(), t.cols(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      mask.for_kept(static_cast<std::uint32_t>(first_row + r), 0, t.cols(), row(r));
    }
  });
}

/// for_masked_rows() over y(R, C) paired with the rows of x, which repeat if x has fewer: row(in,
/// out) gets a row of each.
template <class Row>
void for_masked_pairs(int threads, const Tensor& x, const DropoutKey& key, std::int64_t first_row,
                      const Tensor& y, const Row& row) {
  for_masked_rows(threads, y, key, first_row, [&](std::int64_t r) {
    return row(x.data + r % x.rows() * y.cols(), y.data + r * y.cols());
  });
}

}  // namespace cdt
