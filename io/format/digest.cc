#include "io/format/digest.h"

#include <algorithm>
#include <cstring>

namespace cdt {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr std::uint64_t kFactor =
    0x9e3779b97f4a7c15U;  // odd, so that multiplying by it is invertible
constexpr const char* kDigits = "0123456789abcdef";
constexpr int kHexDigits = 16;

std::uint64_t fold(std::uint64_t h, std::uint64_t word) {
  h = (h ^ word) * kFactor;
  return h ^ (h >> 32U);
}

}  // namespace

Digest::Block Digest::block(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(data);
  Block out{{}, bytes};
  std::array<std::uint64_t, kLanes>& lanes = out.lanes;
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = i + 1;
  std::size_t left = bytes;
  for (; left >= kLanes * kWord; left -= kLanes * kWord, at += kLanes * kWord) {
    std::array<std::uint64_t, kLanes> words;
    std::memcpy(words.data(), at, sizeof words);
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = fold(lanes[i], words[i]);
  }
  for (std::size_t i = 0; left > 0; ++i) {
    const std::size_t part = std::min(left, kWord);
    std::uint64_t word = 0;
    std::memcpy(&word, at, part);
    lanes[i] = fold(lanes[i], word);
    left -= part;
    at += part;
  }
  return out;
}

void Digest::add(const Block& block) {
  for (const std::uint64_t lane : block.lanes) value_ = fold(value_, lane);
  value_ = fold(value_, block.bytes);
}

void Digest::add(std::uint64_t number) { add(&number, sizeof number); }

std::string Digest::hex() const {
  std::string out;
  for (int shift = 4 * (kHexDigits - 1); shift >= 0; shift -= 4) {
    out += kDigits[value_ >> static_cast<unsigned>(shift) & 15U];
  }
  return out;
}

bool Digest::is_hex(std::string_view text) {
  return text.size() == kHexDigits && text.find_first_not_of(kDigits) == std::string_view::npos;
}

}  // namespace cdt
