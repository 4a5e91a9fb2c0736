#include "io/format/text_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <utility>

#include "engine/error.h"
#include "engine/poll.h"
#include "io/format/file.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kLineLimit = std::size_t{1} << 20U;
constexpr std::size_t kPiece = std::size_t{1} << 16U;  // of a file read line by line
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct Signature {
  std::string_view bytes;
  std::string_view name;
};

constexpr std::array<Signature, 12> kSignatures{{
    {"version https://git-lfs", "a Git-LFS pointer; fetch the file itself with git lfs pull"},
    {std::string_view("PK\x03\x04", 4), "a zip archive, such as .npz or a PyTorch .pt file"},
    {"\x1f\x8b", "gzip-compressed data"},
    {"\x89HDF\r\n\x1a\n", "an HDF5 file; cdt-import reads those"},
    {"\x93NUMPY", "a NumPy .npy file"},
    {"\xFD"
     "7zXZ",
     "xz-compressed data"},
    {"BZh", "bzip2-compressed data"},
    {"\x28\xB5\x2F\xFD", "zstd-compressed data"},
    {"\x80\x02", "a Python pickle, which is never read"},
    {"\x80\x03", "a Python pickle, which is never read"},
    {"\x80\x04", "a Python pickle, which is never read"},
    {"\x80\x05", "a Python pickle, which is never read"},
}};

bool starts_with_tag(std::string_view text, std::string_view lower_case_tag) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return text.size() >= lower_case_tag.size() &&
         std::equal(lower_case_tag.begin(), lower_case_tag.end(), text.begin(),
                    [&](char tag, char c) { return tag == lower(c); });
}

/// Throws InputError "size" if `size` bytes are more than `limit`.
void check_size(const std::filesystem::path& path, std::size_t size, std::size_t limit) {
  if (size <= limit) return;
  throw InputError(path.string(), "size",
                   expected_got("file is too large", "at most " + std::to_string(limit) + " bytes",
                                std::to_string(size)));
}

/// What a file is, judging by its first bytes: one of the signatures or an HTML page; else "".
std::string_view foreign_format(std::string_view first_bytes) {
  for (const Signature& s : kSignatures) {
    if (first_bytes.substr(0, s.bytes.size()) == s.bytes) return s.name;
  }
  const std::size_t text = first_bytes.find_first_not_of(" \t\r\n");
  if (text != std::string_view::npos) {
    const std::string_view tag = first_bytes.substr(text);
    if (starts_with_tag(tag, "<!doctype html") || starts_with_tag(tag, "<html")) {
      return "an HTML page, probably a failed download";
    }
  }
  return "";
}

class PlainStream : public ByteStream {
 public:
  PlainStream(std::filesystem::path path, std::size_t limit)
      : file_(std::move(path)), left_(file_.size()) {
    check_size(file_.path(), left_, limit);
    refuse_foreign(file_.path(), file_.head(kHeadBytes));
  }

  std::size_t read(char* out, std::size_t size) override {
    poll();
    const std::size_t piece = std::min(size, left_);
    file_.read(at_, out, piece);
    at_ += piece;
    left_ -= piece;
    return piece;
  }

 private:
  InputFile file_;
  std::size_t at_ = 0;
  std::size_t left_;
};

}  // namespace

std::string read_text_file(const std::filesystem::path& path, std::size_t limit) {
  const InputFile file(path);
  check_size(path, file.size(), limit);
  std::string text = file.head(file.size());
  refuse_foreign(path, std::string_view(text).substr(0, kHeadBytes));
  return text;
}

void refuse_foreign(const std::filesystem::path& path, std::string_view first_bytes) {
  const std::string_view format = foreign_format(first_bytes);
  if (!format.empty()) {
    throw InputError(path.string(), "format", "the file is really " + std::string(format));
  }
}

LineFile::LineFile(const std::filesystem::path& path, std::size_t limit)
    : LineFile(path.string(), open_plain(path, limit)) {}

LineFile::LineFile(std::string file, std::unique_ptr<ByteStream> bytes)
    : file_(std::move(file)), bytes_(std::move(bytes)) {}

/// Reads one more piece; false at the end of the file.
bool LineFile::fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() - end_ < kPiece / 2) buffer_.resize(end_ + kPiece);
  const std::size_t got = bytes_->read(buffer_.data() + end_, buffer_.size() - end_);
  end_ += got;
  return got > 0;
}

/// Takes the next line of the file, blank or not.
bool LineFile::take(std::string_view* line) {
  std::size_t searched = 0;
  std::size_t length = std::string::npos;
  while (length == std::string::npos) {
    const std::string_view held(buffer_.data() + begin_, end_ - begin_);
    length = held.find('\n', searched);
    searched = held.size();
    if (length != std::string::npos || held.size() > kLineLimit + 1 || !fill()) break;
  }
  const std::string_view held(buffer_.data() + begin_, end_ - begin_);
  if (held.empty()) return false;
  *line = held.substr(0, length);
  begin_ += std::min(held.size(), line->size() + 1);
  if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
  return true;
}

void LineFile::check(std::string_view line) const {
  if (line.size() > kLineLimit) {
    throw InputError(file_, where(),
                     expected_got("line is too long", "at most 1048576 bytes", "more"));
  }
  if (line.find('\0') != std::string_view::npos) {
    throw InputError(file_, where(), "holds a NUL byte; this is not a text file");
  }
}

bool LineFile::next(std::string_view* line) {
  if (!has_ahead_) {
    const bool first = line_ == 0;
    blanks_ = 0;
    while ((has_ahead_ = take(&ahead_))) {
      if (first && blanks_ == 0 && ahead_.starts_with(kByteOrderMark)) {
        ahead_.remove_prefix(kByteOrderMark.size());
      }
      if (!ahead_.empty()) break;
      ++blanks_;
    }
    if (!has_ahead_) return false;
  }
  ++line_;
  const bool blank = blanks_ > 0;
  *line = blank ? std::string_view() : ahead_;
  if (blank) {
    --blanks_;
  } else {
    has_ahead_ = false;
  }
  check(*line);
  return true;
}

std::unique_ptr<ByteStream> open_plain(const std::filesystem::path& path, std::size_t limit) {
  return std::make_unique<PlainStream>(path, limit);
}

TsvFile::TsvFile(const std::filesystem::path& path, std::vector<std::string> required_columns,
                 std::vector<std::string> optional_columns)
    : TsvFile(LineFile(path), std::move(required_columns), std::move(optional_columns)) {}

TsvFile::TsvFile(LineFile lines, std::vector<std::string> required_columns,
                 std::vector<std::string> optional_columns)
    : lines_(std::move(lines)), names_(std::move(required_columns)) {
  const std::size_t required = names_.size();
  std::move(optional_columns.begin(), optional_columns.end(), std::back_inserter(names_));
  std::string_view header;
  if (!lines_.next(&header)) throw InputError(lines_.file(), "line 1", "header line is missing");
  row_ = split(header, '\t');
  const char* missing = row_.size() > 1 ? "column is missing"
                                        : "column is missing; the line has no tab, and columns are "
                                          "separated by tabs";
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto at = std::find(row_.begin(), row_.end(), names_[i]);
    place_.push_back(at == row_.end() ? -1 : static_cast<int>(at - row_.begin()));
    if (at == row_.end() && i < required) fail(static_cast<int>(i), missing);
    if (at != row_.end() && std::find(at + 1, row_.end(), names_[i]) != row_.end()) {
      fail(static_cast<int>(i), "column appears twice");
    }
  }
}

bool TsvFile::next() {
  const std::size_t columns = row_.size();
  std::string_view line;
  if (!lines_.next(&line)) return false;
  row_ = split(line, '\t');
  if (row_.size() != columns) {
    throw InputError(lines_.file(), lines_.where(),
                     expected_got("wrong number of columns", std::to_string(columns),
                                  std::to_string(row_.size())));
  }
  return true;
}

std::string_view TsvFile::field(int column) const {
  CDT_CHECK(has(column), "field() of a column that is not there");
  return row_[static_cast<std::size_t>(place_[static_cast<std::size_t>(column)])];
}

void TsvFile::fail(int column, const std::string& what) const {
  throw InputError(lines_.file(),
                   lines_.where() + ", column " + names_[static_cast<std::size_t>(column)], what);
}

}  // namespace cdt
