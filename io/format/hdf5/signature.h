// Recognises an HDF5 file without the library.
#pragma once

#include <array>
#include <string_view>

#include "io/format/file.h"

namespace cdt {

/// Whether the file has the HDF5 signature, at its start or after a user block of 512, 1024, 2048,
/// ... bytes.
inline bool has_hdf5_signature(const InputFile& file) {
  constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);
  for (std::size_t at = 0; at + kSignature.size() <= file.size(); at = at == 0 ? 512 : 2 * at) {
    std::array<char, kSignature.size()> bytes{};
    file.read(at, bytes.data(), bytes.size());
    if (std::string_view(bytes.data(), bytes.size()) == kSignature) return true;
  }
  return false;
}

}  // namespace cdt
