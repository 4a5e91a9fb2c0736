// The bytes of a file one piece after the other, so that a reader holds a piece and what it keeps.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

namespace cdt {

class ByteStream {
 public:
  ByteStream() = default;
  virtual ~ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// Up to `size` bytes, at least one unless the end is reached. InputError names the file.
  virtual std::size_t read(char* out, std::size_t size) = 0;
};

/// A file as it is. InputError: missing, a folder, over `limit` bytes, or a foreign format
/// (refuse_foreign).
std::unique_ptr<ByteStream> open_plain(const std::filesystem::path& path, std::size_t limit);

}  // namespace cdt
