// Dropout masks (engine/random.h), 64 columns at a time: sixteen Philox counters fill a group.
#pragma once

#include <algorithm>

#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"
#include "engine/random.h"

namespace cdt {

/// Lane masks of one group g: word[i] covers columns 64 g + 16 i ... + 15, with all bits set where
/// the element is kept.
struct KeptColumns {
  I32 word[4];
};

namespace detail {

/// Multiplies the low half of each lane by m to a 64-bit product.
CDT_INLINE inline U64 wide_product(U64 a, std::uint32_t m) {
#if defined(__AVX512F__)
  return (U64)_mm512_maskz_mul_epu32(0xFF, (__m512i)a, _mm512_set1_epi64(m));
#else
  return (a & 0xFFFFFFFFULL) * static_cast<std::uint64_t>(m);
#endif
}

/// Eight counters in 64-bit lanes; only the low halves matter.
struct PhiloxState {
  U64 word[4];

  CDT_INLINE void round(std::uint32_t key0, std::uint32_t key1) {
    const U64 a = wide_product(word[0], 0xD2511F53U);
    const U64 b = wide_product(word[2], 0xCD9E8D57U);
    word[0] = (b >> 32U) ^ word[1] ^ static_cast<std::uint64_t>(key0);
    word[1] = b;
    word[2] = (a >> 32U) ^ word[3] ^ static_cast<std::uint64_t>(key1);
    word[3] = a;
  }
};

}  // namespace detail

CDT_INLINE inline KeptColumns kept_columns(const DropoutKey& key, std::uint32_t row,
                                           std::uint32_t group) {
  const U64 ramp = {0, 2, 4, 6, 8, 10, 12, 14};
  const U64 zero{};
  detail::PhiloxState even{{ramp + 16 * std::uint64_t{group}, zero + std::uint64_t{row},
                            zero + std::uint64_t{key.site}, zero + std::uint64_t{key.step}}};
  detail::PhiloxState odd = even;
  odd.word[0] += 1;
  auto key0 = static_cast<std::uint32_t>(key.seed);
  auto key1 = static_cast<std::uint32_t>(key.seed >> 32U);
  for (int round = 0; round < 10; ++round) {
    even.round(key0, key1);
    odd.round(key0, key1);
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  KeptColumns kept;
  const std::uint32_t threshold = key.threshold();
  for (int i = 0; i < 4; ++i) {
    const U32 draws = (U32)((even.word[i] & 0xFFFFFFFFULL) | (odd.word[i] << 32U));
    kept.word[i] = draws >= threshold;
  }
  return kept;
}

/// Calls body(column, lanes, kept) over columns [begin, end) of one mask row; begin is a multiple
/// of 64.
template <class Body>
CDT_INLINE inline void for_kept(const DropoutKey& key, std::uint32_t row, std::int64_t begin,
                                std::int64_t end, const Body& body) {
  if (key.p <= 0.0F) {
    const I32 all = ~I32{};
    for_lanes(end - begin,
              [&](std::int64_t i, int lanes) CDT_INLINE { body(begin + i, lanes, all); });
    return;
  }
  std::int64_t column = begin;
  for (; column + 64 <= end; column += 64) {
    const KeptColumns kept = kept_columns(key, row, static_cast<std::uint32_t>(column / 64));
    for (std::int64_t i = 0; i < 4; ++i) body(column + 16 * i, kLanes, kept.word[i]);
  }
  if (column == end) return;
  const KeptColumns kept = kept_columns(key, row, static_cast<std::uint32_t>(column / 64));
  for (std::int64_t i = 0; i < 4 && column + 16 * i < end; ++i) {
    const std::int64_t at = column + 16 * i;
    body(at, static_cast<int>(std::min<std::int64_t>(kLanes, end - at)), kept.word[i]);
  }
}

/// Processes the rows of t(R, C) on threads: row(r) returns the body that for_kept() runs for row
/// r, whose mask row is first_row + r.
template <class Row>
void for_masked_rows(int threads, const Tensor& t, const DropoutKey& key, std::int64_t first_row,
                     const Row& row) {
  for_rows(threads, t.rows(), t.cols(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      for_kept(key, static_cast<std::uint32_t>(first_row + r), 0, t.cols(), row(r));
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
