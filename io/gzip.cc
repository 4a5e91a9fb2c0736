#include "io/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/error.h"
#include "io/file.h"
#include "io/text.h"

namespace cdt {
namespace {

constexpr std::size_t kDeflateRatio = 1032;  // the most deflate can shrink (zlib documentation)
constexpr std::size_t kPiece = std::size_t{1} << 30U;
constexpr std::size_t kFirstRoom = std::size_t{1} << 20U;  // of text, before it doubles

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

using GzipFile = std::unique_ptr<gzFile_s, Close>;

/// The first bytes of the file, at most 256.
std::string head_of(const FileDescriptor& file, const std::filesystem::path& path) {
  std::string head(std::min<std::size_t>(file_size(file, path), 256), '\0');
  read_exactly(file, path, 0, head.data(), head.size());
  return head;
}

bool is_gzip(std::string_view head) { return head.substr(0, 2) == "\x1f\x8b"; }

GzipFile unpack(FileDescriptor file, const std::filesystem::path& path) {
  GzipFile gz(gzdopen(file.get(), "rb"));
  if (gz == nullptr) throw Error("zlib: gzdopen failed: " + path.string());
  file.release();  // gzclose_r closes it
  return gz;
}

}  // namespace

std::vector<float> read_gzip_floats(const std::filesystem::path& path, std::size_t count) {
  FileDescriptor file = open_for_reading(path);
  const std::size_t packed = file_size(file, path);
  const std::string head = head_of(file, path);
  if (!is_gzip(head)) {
    refuse_foreign(path, head);
    throw InputError(path.string(), "gzip", "is not gzip-compressed");
  }
  const std::size_t size = count * sizeof(float);
  const std::string expected = std::to_string(size) + " bytes";
  if (size / kDeflateRatio > packed) {
    throw InputError(path.string(), "size",
                     expected_got("unpacked size", expected, "a file too small for that"));
  }
  const GzipFile gz = unpack(std::move(file), path);
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

std::string read_text_or_gzip(const std::filesystem::path& path, std::size_t limit) {
  FileDescriptor file = open_for_reading(path);
  if (!is_gzip(head_of(file, path))) return read_text_file(path, limit);
  const GzipFile gz = unpack(std::move(file), path);
  std::string text;
  std::size_t got = 0;
  while (got == text.size()) {  // until the end comes before the room ends
    text.resize(std::min(limit + 1, std::max(2 * got, kFirstRoom)));
    got += read_some(gz.get(), path, text.data() + got, text.size() - got);
    if (got > limit) {
      throw InputError(path.string(), "size",
                       expected_got("unpacked file is too large",
                                    "at most " + std::to_string(limit) + " bytes", "more"));
    }
  }
  text.resize(got);
  refuse_foreign(path, std::string_view(text).substr(0, 256));
  return text;
}

}  // namespace cdt
