#include "io/format/file_digest.h"

#include <algorithm>
#include <cstddef>

#include "engine/poll.h"
#include "io/format/digest.h"
#include "io/format/file.h"

namespace cdt {

std::string digest_of_file(const std::filesystem::path& path) {
  constexpr std::size_t kPiece = std::size_t{1} << 20U;
  const InputFile file(path);
  Digest digest;
  std::string piece;
  for (std::size_t at = 0; at < file.size(); at += piece.size()) {
    poll();
    piece.resize(std::min(kPiece, file.size() - at));
    file.read(at, piece.data(), piece.size());
    digest.add(std::string_view(piece));
  }
  return digest.hex();
}

}  // namespace cdt
