// A digest of many numbers, to tell whether two runs left the same bits.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>

namespace cdt::test {

/// FNV-1a over 32-bit words: two sequences that differ in one number never have the same digest.
struct Digest {
  std::uint64_t value = 14695981039346656037U;
  bool finite = true;  // every number so far

  void add(std::span<const float> numbers) {
    constexpr std::uint64_t kPrime = 1099511628211U;
    for (const float x : numbers) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &x, sizeof bits);
      value = (value ^ bits) * kPrime;
      finite = finite && std::isfinite(x);
    }
  }
};

}  // namespace cdt::test
