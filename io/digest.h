// FNV-1a, 64 bits: tells contents apart that differ by accident.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cdt {

class Digest {
 public:
  void add(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < size; ++i) value_ = (value_ ^ bytes[i]) * 0x100000001b3U;
  }
  /// 16 hexadecimal digits.
  std::string hex() const {
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[value_ >> shift & 15U];
    return out;
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

/// "fnv1a64:" and the digest of a text.
inline std::string digest_of(std::string_view text) {
  Digest digest;
  digest.add(text.data(), text.size());
  return "fnv1a64:" + digest.hex();
}

}  // namespace cdt
