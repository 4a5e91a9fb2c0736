// A 64-bit fingerprint that tells whether data have changed. It guards against mistakes and damage,
// not against deliberate collisions.
//
// A block of bytes is read as little-endian words of 8 bytes (the last one padded with zeros),
// which go in turn to eight lanes; each lane folds a word in by h = (h ^ word) * K, h ^= h >> 32.
// The lanes, the number of bytes and the digest so far are then folded together in the same way.
// Every fold is one to one in both h and word: the digest changes whenever one word changes or two
// words of a lane swap places. The order of blocks matters. The value is the same on every
// little-endian machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cdt {

class Digest {
 public:
  static constexpr std::size_t kLanes = 8;  // independent, to hide a multiplication's latency
  /// What a block contributes, whatever precedes it; so blocks may be read in any order and by
  /// several processes.
  struct Block {
    std::array<std::uint64_t, kLanes> lanes;
    std::uint64_t bytes;
  };
  static Block block(const void* data, std::size_t bytes);

  /// Adds one block; the split into blocks affects the digest.
  void add(const void* data, std::size_t bytes) { add(block(data, bytes)); }
  void add(const Block& block);
  void add(std::uint64_t number);
  void add(std::string_view text) { add(text.data(), text.size()); }
  void add(const std::vector<float>& values) { add(values.data(), values.size() * sizeof(float)); }

  /// The digest as 16 lower-case hexadecimal digits.
  std::string hex() const;
  /// Whether hex() could have returned this text.
  static bool is_hex(std::string_view text);

 private:
  std::uint64_t value_ = 0x6a09e667f3bcc908U;
};

/// hex() of a single block, text or float32 values.
template <class Block>
std::string digest_of(const Block& block) {
  Digest digest;
  digest.add(block);
  return digest.hex();
}

}  // namespace cdt
