#include "apps/import/words.h"

#include <algorithm>

#include "engine/error.h"

namespace cdt {

void require_word(const std::string& file, const std::string& field, const std::string& text) {
  constexpr std::size_t kMaxWord = 200;
  if (text.empty()) throw InputError(file, field, "is empty");
  if (text.size() > kMaxWord) throw InputError(file, field, "is longer than 200 bytes");
  const bool one_word = std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f;
  });
  if (!one_word) throw InputError(file, field, "is not one printable word: '" + text + "'");
}

}  // namespace cdt
