#include "tests/hostile_hdf5/mutate.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace cdt::test {
namespace {

constexpr std::array<const char*, 18> kTokens = {"0",
                                                 "-1",
                                                 "18446744073709551615",
                                                 "9223372036854775807",
                                                 "2147483648",
                                                 "1e999",
                                                 "nan",
                                                 "[[[[[[",
                                                 "}",
                                                 "\"",
                                                 "\t",
                                                 "\r\n",
                                                 "\n",
                                                 "\\u0000",
                                                 "../../x",
                                                 "null",
                                                 "\xff\xfe",
                                                 "0.5"};
constexpr std::array<char, 6> kBytes = {'\0', '\x01', '\x7f', '\x80', '\xff', ' '};

class Surgeon {
 public:
  Surgeon(std::string bytes, RandomStream* draws) : bytes_(std::move(bytes)), draws_(draws) {}

  void injure() {
    const std::size_t at = below(bytes_.size());
    const std::size_t length = std::min(bytes_.size() - at, 1 + below(below(64) + 1));
    switch (below(8)) {
      case 0:
        if (at < bytes_.size()) bytes_[at] = static_cast<char>(bytes_[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < bytes_.size()) bytes_[at] = kBytes[below(kBytes.size())];
        break;
      case 2:
        bytes_.resize(at);
        break;
      case 3:
        bytes_.erase(at, length);
        break;
      case 4:
        bytes_.insert(below(bytes_.size()), bytes_.substr(at, length));
        break;
      case 5:
        bytes_.insert(at, kTokens[below(kTokens.size())]);
        break;
      case 6:
        replace_number();
        break;
      default:
        std::reverse(bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes_.begin() + static_cast<std::ptrdiff_t>(at + length));
    }
  }

  std::string result() && { return std::move(bytes_); }

 private:
  /// Below n, or 0 if n is 0.
  std::size_t below(std::size_t n) { return n == 0 ? 0 : draws_->below(n); }

  /// Replaces the digits after a random place by a token.
  void replace_number() {
    const char* digits = "0123456789";
    const std::size_t begin = bytes_.find_first_of(digits, below(bytes_.size()));
    if (begin == std::string::npos) return;
    const std::size_t end = std::min(bytes_.find_first_not_of(digits, begin), bytes_.size());
    bytes_.replace(begin, end - begin, kTokens[below(kTokens.size())]);
  }

  std::string bytes_;
  RandomStream* draws_;
};

}  // namespace

std::string mutated(std::string bytes, RandomStream* draws) {
  Surgeon surgeon(std::move(bytes), draws);
  const std::uint64_t injuries = 1 + draws->below(4);
  for (std::uint64_t i = 0; i < injuries; ++i) surgeon.injure();
  return std::move(surgeon).result();
}

}  // namespace cdt::test
