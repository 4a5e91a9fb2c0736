// A fingerprint of 64 bits, to tell whether data are the ones of before. It guards against mistakes
// and damage, not against someone who looks for two files of one digest.
//
// A block of bytes is read as little-endian words of 8 bytes (the last one filled up with zeros),
// which go in turn to eight lanes; each lane folds a word in by h = (h ^ word) * K, h ^= h >> 32.
// The lanes, the number of bytes and the digest so far are folded together the same way. Every fold
// is one to one in both h and word: where one word changes, or two within a lane change places, the
// digest changes. The order of blocks counts. The value is the same on every little-endian machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cdt {

class Digest {
 public:
  /// One block; where a block ends counts.
  void add(const void* data, std::size_t bytes);
  void add(std::uint64_t number);
  void add(std::string_view text) { add(text.data(), text.size()); }
  void add(const std::vector<float>& values) { add(values.data(), values.size() * sizeof(float)); }

  /// 16 lower-case hexadecimal digits.
  std::string hex() const;
  /// Whether a text is what hex() may return.
  static bool is_hex(std::string_view text);

 private:
  std::uint64_t value_ = 0x6a09e667f3bcc908U;
};

/// hex() of one block, a text or float32 values.
template <class Block>
std::string digest_of(const Block& block) {
  Digest digest;
  digest.add(block);
  return digest.hex();
}

}  // namespace cdt
