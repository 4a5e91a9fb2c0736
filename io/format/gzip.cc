#include "io/format/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "engine/error.h"
#include "engine/poll.h"
#include "io/format/checksum.h"
#include "io/format/file.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr std::size_t kAnyText = std::size_t{1} << 20U;     // bytes of text allowed at any ratio
constexpr std::size_t kPiece = std::size_t{1} << 16U;       // packed bytes read at once
constexpr std::size_t kMostAtOnce = std::size_t{1} << 22U;  // unpacked bytes between two polls

bool is_gzip(std::string_view head) { return head.starts_with("\x1f\x8b"); }

/// Decompresses the members of a gzip file one after another.
class GzipStream : public ByteStream {
 public:
  explicit GzipStream(InputFile file) : file_(std::move(file)), left_(file_.size()) {
    if (inflateInit2(&zlib_, kGzipOnly) != Z_OK) throw Error("zlib: inflateInit2 failed");
    if (!checksums_count()) inflateValidate(&zlib_, 0);
  }
  ~GzipStream() override { inflateEnd(&zlib_); }

  std::size_t read(char* out, std::size_t size) override {
    if (size == 0) return 0;
    const std::size_t wanted = std::min(size, kMostAtOnce);
    zlib_.next_out = reinterpret_cast<Bytef*>(out);
    zlib_.avail_out = static_cast<uInt>(wanted);
    while (zlib_.avail_out == wanted) {
      poll();
      if (zlib_.avail_in == 0 && !refill()) {
        check_end();
        break;
      }
      if (!in_member_) begin_member();
      const int result = inflate(&zlib_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        end_member();
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        fail("damaged compressed data");
      }
    }
    return wanted - zlib_.avail_out;
  }

 private:
  static constexpr int kGzipOnly = 16 + MAX_WBITS;

  [[noreturn]] void fail(const char* what) const {
    throw InputError(file_.path().string(), "gzip", what);
  }

  bool refill() {
    const std::size_t piece = std::min(packed_.size(), left_);
    file_.read(at_, packed_.data(), piece);
    at_ += piece;
    left_ -= piece;
    zlib_.next_in = packed_.data();
    zlib_.avail_in = static_cast<uInt>(piece);
    return piece > 0;
  }

  void begin_member() {
    if (*zlib_.next_in != 0x1f) {
      fail("damaged: what follows the last compressed part is no gzip");
    }
    in_member_ = true;
    header_ = {};
    header_.extra = extra_.data();
    header_.extra_max = static_cast<uInt>(extra_.size());
    inflateReset(&zlib_);
    inflateGetHeader(&zlib_, &header_);
  }

  void end_member() {
    in_member_ = false;
    bgzip_unended_ = is_bgzip_block() && zlib_.total_out > 0;
  }

  /// Whether the extra field is bgzip's: one subfield "BC" of two bytes, the size of the block.
  bool is_bgzip_block() const {
    return header_.done == 1 && header_.extra != nullptr && header_.extra_len >= 6 &&
           extra_[0] == 'B' && extra_[1] == 'C' && extra_[2] == 2 && extra_[3] == 0;
  }

  void check_end() const {
    if (in_member_) fail("cut short: the file ends within its compressed data");
    if (bgzip_unended_) fail("cut short: the empty block that ends a bgzip file is missing");
  }

  InputFile file_;
  std::size_t at_ = 0;
  std::size_t left_;
  z_stream zlib_{};
  gz_header header_{};
  std::array<Bytef, 64> extra_{};
  std::array<Bytef, kPiece> packed_{};
  bool in_member_ = false;
  bool bgzip_unended_ = false;
};

/// Fills `out` until it is full or the stream ends; returns the bytes read.
std::size_t read_up_to(ByteStream& stream, char* out, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const std::size_t got = stream.read(out + done, size - done);
    if (got == 0) break;
    done += got;
  }
  return done;
}

/// Decompressed text, refused once it is larger than a text of that compressed size can be.
class GzipText : public ByteStream {
 public:
  GzipText(InputFile file, std::size_t limit)
      : path_(file.path()),
        limit_(limit),
        ratio_limit_(std::max(kAnyText, file.size() * kTextRatio)),
        gzip_(std::move(file)),
        head_(kHeadBytes, '\0') {
    head_.resize(read_up_to(gzip_, head_.data(), head_.size()));
    refuse_foreign(path_, head_);
  }

  std::size_t read(char* out, std::size_t size) override {
    std::size_t got = std::min(size, head_.size());
    if (got > 0) {
      head_.copy(out, got);
      head_.erase(0, got);
    } else {
      got = gzip_.read(out, size);
    }
    done_ += got;
    if (done_ > limit_) {
      throw InputError(path_.string(), "size",
                       expected_got("unpacked file is too large",
                                    "at most " + std::to_string(limit_) + " bytes", "more"));
    }
    if (done_ > ratio_limit_) {
      throw InputError(
          path_.string(), "size",
          expected_got("unpacks to more than a text does; if it is right, unpack it "
                       "with gunzip",
                       "at most " + std::to_string(kTextRatio) + " times its size", "more"));
    }
    return got;
  }

 private:
  std::filesystem::path path_;
  std::size_t limit_, ratio_limit_;
  GzipStream gzip_;
  std::string head_;
  std::size_t done_ = 0;
};

}  // namespace

std::vector<float> read_gzip_floats(const std::filesystem::path& path, std::size_t count) {
  InputFile file(path);
  const std::size_t packed = file.size();
  const std::string head = file.head(kHeadBytes);
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
  GzipStream gzip(std::move(file));
  std::vector<float> out(count);
  const std::size_t got = read_up_to(gzip, reinterpret_cast<char*>(out.data()), size);
  char more = 0;  // one more read also verifies the checksum and the end of the file
  if (got < size || gzip.read(&more, 1) != 0) {
    throw InputError(path.string(), "size",
                     expected_got("unpacked size", expected,
                                  got < size ? std::to_string(got) + " bytes" : "more"));
  }
  return out;
}

std::unique_ptr<ByteStream> open_text_or_gzip(const std::filesystem::path& path,
                                              std::size_t limit) {
  InputFile file(path);
  if (!is_gzip(file.head(kHeadBytes))) return open_plain(path, limit);
  return std::make_unique<GzipText>(std::move(file), limit);
}

LineFile lines_of_text_or_gzip(const std::filesystem::path& path, std::size_t limit) {
  return {path.string(), open_text_or_gzip(path, limit)};
}

}  // namespace cdt
