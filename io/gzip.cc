#include "io/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "engine/error.h"
#include "io/file.h"
#include "io/text.h"

namespace cdt {
namespace {

constexpr std::size_t kDeflateRatio = 1032;  // the most deflate can shrink (zlib documentation)
constexpr std::size_t kPiece = std::size_t{1} << 30U;

struct Close {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

/// Reads up to `size` bytes; fewer only at the end of the stream.
std::size_t read_some(gzFile_s* gz, const std::filesystem::path& path, char* out,
                      std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const auto piece = static_cast<unsigned>(std::min(size - done, kPiece));
    const int n = gzread(gz, out + done, piece);
    if (n < 0) throw InputError(path.string(), "gzip", "damaged compressed data");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  int error = Z_OK;
  gzerror(gz, &error);
  if (error != Z_OK) throw InputError(path.string(), "gzip", "damaged or cut short");
  return done;
}

}  // namespace

std::vector<float> read_gzip_floats(const std::filesystem::path& path, std::size_t count) {
  FileDescriptor file = open_for_reading(path);
  const std::size_t packed = file_size(file, path);
  std::array<char, 256> head{};
  const std::size_t head_size = std::min(packed, head.size());
  read_exactly(file, path, 0, head.data(), head_size);
  const std::string_view first(head.data(), head_size);
  if (first.substr(0, 2) != "\x1f\x8b") {
    refuse_foreign(path, first);
    throw InputError(path.string(), "gzip", "is not gzip-compressed");
  }
  const std::size_t size = count * sizeof(float);
  const std::string expected = std::to_string(size) + " bytes";
  if (size / kDeflateRatio > packed) {
    throw InputError(path.string(), "size",
                     expected_got("unpacked size", expected, "a file too small for that"));
  }
  const std::unique_ptr<gzFile_s, Close> gz(gzdopen(file.get(), "rb"));
  if (gz == nullptr) throw Error("zlib: gzdopen failed: " + path.string());
  file.release();  // gzclose_r closes it
  std::vector<float> out(count);
  const std::size_t got = read_some(gz.get(), path, reinterpret_cast<char*>(out.data()), size);
  char more = 0;  // reading on also makes zlib check the checksum
  if (got < size || read_some(gz.get(), path, &more, 1) != 0) {
    throw InputError(path.string(), "size",
                     expected_got("unpacked size", expected,
                                  got < size ? std::to_string(got) + " bytes" : "more"));
  }
  return out;
}

}  // namespace cdt
