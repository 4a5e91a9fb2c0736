#include "engine/cpu/dropout_mask.h"

namespace cdt {

MaskColumns::MaskColumns(const DropoutKey& key, std::int64_t cols)
    : threshold_(detail::U16{} + static_cast<std::uint16_t>(key.threshold())),
      first_row_(key.first_row) {
  if (key.p <= 0.0F) return;
  auto key0 = static_cast<std::uint32_t>(key.seed);
  auto key1 = static_cast<std::uint32_t>(key.seed >> 32U);
  std::uint64_t round_key0[kRounds], round_key1[kRounds];
  for (int round = 0; round < kRounds; ++round) {
    round_key0[round] = key0 + static_cast<std::uint32_t>(round) * 0x9E3779B9U;
    round_key1[round] = key1 + static_cast<std::uint32_t>(round) * 0xBB67AE85U;
  }
  for (int round = kSharedRounds; round < kRounds; ++round) {
    key0_[round - kSharedRounds] = U64{} + round_key0[round];
    key1_[round - kSharedRounds] = U64{} + round_key1[round];
  }
  // Round 1: word 0 is the row xor row_key_, word 1 a constant; words 2 and 3 depend on the column.
  // Round 2: words 0 and 1 depend on the column, 3 on the row, and 2 on both.
  const std::uint64_t site = std::uint64_t{0xCD9E8D57U} * key.site;
  row_key_ = static_cast<std::uint32_t>(site >> 32U) ^ key0;
  const std::uint64_t word1 = site & 0xFFFFFFFFU;
  groups_.resize(static_cast<std::size_t>(ceil_div(cols, 64)));
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    for (int i = 0; i < detail::kRegisters; ++i) {
      U64 counter;
      for (int lane = 0; lane < kLanes / 2; ++lane) {
        counter[lane] = 8 * group + detail::counter_at(i, lane);
      }
      const U64 first = detail::wide_product(counter, 0xD2511F53U);
      const U64 word2 = (first >> 32U) ^ std::uint64_t{key.step} ^ round_key1[0];
      const U64 second = detail::wide_product(word2, 0xCD9E8D57U);
      const U64 third = detail::wide_product((second >> 32U) ^ word1 ^ round_key0[1], 0xD2511F53U);
      const auto at = static_cast<std::size_t>(i);
      groups_[group].second[at] = first ^ round_key1[1];
      groups_[group].word0[at] = second ^ round_key0[2];
      groups_[group].word2[at] = (third >> 32U) ^ round_key1[2];
      groups_[group].word3[at] = third;
    }
  }
}

}  // namespace cdt
