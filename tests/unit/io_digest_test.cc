// The digest: fixed values, and that it depends on every byte, the order and the block borders.
#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "io/format/digest.h"

namespace cdt {
namespace {

std::string digest_of(const std::vector<unsigned char>& bytes) {
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.hex();
}

/// 0, 1, 2 ...: more than two rounds of the lanes, with an incomplete last word.
std::vector<unsigned char> counting() {
  std::vector<unsigned char> bytes(2 * 64 + 3 * 8 + 5);
  std::iota(bytes.begin(), bytes.end(), static_cast<unsigned char>(0));
  return bytes;
}

/// The definition in io/format/digest.h, written out step by step.
std::string by_definition(const std::vector<unsigned char>& bytes) {
  const auto fold = [](std::uint64_t h, std::uint64_t word) {
    h = (h ^ word) * 0x9e3779b97f4a7c15U;
    return h ^ (h >> 32U);
  };
  std::vector<std::uint64_t> lanes = {1, 2, 3, 4, 5, 6, 7, 8};
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    std::uint64_t word = 0;
    for (std::size_t j = i; j < std::min(i + 8, bytes.size()); ++j) {
      word |= std::uint64_t{bytes[j]} << (8 * (j - i));
    }
    lanes[i / 8 % 8] = fold(lanes[i / 8 % 8], word);
  }
  std::uint64_t value = 0x6a09e667f3bcc908U;
  for (const std::uint64_t lane : lanes) value = fold(value, lane);
  value = fold(value, bytes.size());
  std::string hex;
  for (int shift = 60; shift >= 0; shift -= 4) hex += "0123456789abcdef"[value >> shift & 15U];
  return hex;
}

TEST(DigestTest, IsWhatItsHeaderSays) {
  for (const std::size_t size : {0U, 1U, 8U, 63U, 64U, 65U, 157U}) {
    std::vector<unsigned char> bytes = counting();
    bytes.resize(size);
    EXPECT_EQ(digest_of(bytes), by_definition(bytes)) << size;
    EXPECT_TRUE(Digest::is_hex(digest_of(bytes)));
  }
  EXPECT_FALSE(Digest::is_hex("0123456789abcde"));
  EXPECT_FALSE(Digest::is_hex("0123456789abcdeg"));
}

TEST(DigestTest, SeesEveryBitAndTheLength) {
  const std::vector<unsigned char> bytes = counting();
  std::set<std::string> seen = {digest_of(bytes)};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::vector<unsigned char> changed = bytes;
      changed[i] = static_cast<unsigned char>(changed[i] ^ (1U << bit));
      EXPECT_TRUE(seen.insert(digest_of(changed)).second) << i << ", " << bit;
    }
  }
  std::vector<unsigned char> longer = bytes;
  for (int i = 0; i < 70; ++i) {
    longer.push_back(0);
    EXPECT_TRUE(seen.insert(digest_of(longer)).second) << i;
  }
}

TEST(DigestTest, SeesTheOrderAndTheBordersOfBlocks) {
  const auto of = [](std::initializer_list<std::vector<float>> blocks) {
    Digest digest;
    for (const std::vector<float>& block : blocks) digest.add(block);
    return digest.hex();
  };
  EXPECT_EQ(of({{1, 2}, {3, 4}}), of({{1, 2}, {3, 4}}));
  EXPECT_NE(of({{1, 2}, {3, 4}}), of({{3, 4}, {1, 2}}));
  EXPECT_NE(of({{1, 2}, {3, 4}}), of({{1, 2, 3, 4}}));
  EXPECT_NE(of({{0}}), of({{-0.0F}}));
}

}  // namespace
}  // namespace cdt
