#include "io/format/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/format/file.h"

namespace cdt {
namespace {

constexpr std::size_t kLineLimit = std::size_t{1} << 20U;
constexpr std::size_t kPiece = std::size_t{1} << 16U;  // of a file read by lines
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
  if (text.size() < lower_case_tag.size()) return false;
  for (std::size_t i = 0; i < lower_case_tag.size(); ++i) {
    const char c = text[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower != lower_case_tag[i]) return false;
  }
  return true;
}

/// Correctly rounded, with a point whatever the locale.
double rounded(const char* text, double /*type*/, locale_t c) { return strtod_l(text, nullptr, c); }
float rounded(const char* text, float /*type*/, locale_t c) { return strtof_l(text, nullptr, c); }

/// False if `text` is no number. One too large becomes infinite.
template <typename T>
bool parse_real(std::string_view text, T* value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  if (stop != end || text.empty() || error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) {  // too large or too small: it does not say which
    static const locale_t c = newlocale(LC_ALL_MASK, "C", nullptr);
    *value = rounded(std::string(text).c_str(), T{}, c);
  }
  return true;
}

bool says_infinity(std::string_view text) {
  return text.find_first_of("iI") != std::string_view::npos;
}

template <typename T>
bool parse(std::string_view text, T* value) {
  T number{};
  if (!parse_real(text, &number) || (std::isinf(number) && !says_infinity(text))) return false;
  *value = number;
  return true;
}

template <typename T>
std::string_view finite(std::string_view text, T* value) {
  T number{};
  if (!parse_real(text, &number)) return "not a number";
  if (std::isinf(number) && !says_infinity(text)) {
    return sizeof(T) == sizeof(float) ? "too large for float32" : "too large";
  }
  if (!std::isfinite(number)) return "not finite";
  *value = number;
  return "";
}

template <typename T>
std::string format(T value) {
  if (std::isnan(value)) return "nan";
  std::array<char, 64> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::string(text.data(), end) : std::string("nan");
}

}  // namespace

std::string read_text_file(const std::filesystem::path& path, std::size_t limit) {
  const FileDescriptor file = open_for_reading(path);
  const std::size_t size = file_size(file, path);
  check_size(path, size, limit);
  std::string text(size, '\0');
  read_exactly(file, path, 0, text.data(), size);
  refuse_foreign(path, std::string_view(text).substr(0, kHeadBytes));
  return text;
}

void check_size(const std::filesystem::path& path, std::size_t size, std::size_t limit) {
  if (size <= limit) return;
  throw InputError(path.string(), "size",
                   expected_got("file is too large", "at most " + std::to_string(limit) + " bytes",
                                std::to_string(size)));
}

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

void refuse_foreign(const std::filesystem::path& path, std::string_view first_bytes) {
  const std::string_view format = foreign_format(first_bytes);
  if (!format.empty()) {
    throw InputError(path.string(), "format", "the file is really " + std::string(format));
  }
}

std::string format_number(float value) { return format(value); }
std::string format_number(double value) { return format(value); }
std::string format_with_commas(std::int64_t value) {
  constexpr std::size_t kGroup = 3;  // digits between commas
  std::string out = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = out.size(); at > first + kGroup; out.insert(at, 1, ',')) at -= kGroup;
  return out;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "(";
  for (const std::int64_t size : shape) {
    out += (out.size() > 1 ? ", " : "") + (size == kAnySize ? "any" : std::to_string(size));
  }
  return out + ")";
}

std::string json_number(double value) { return std::isfinite(value) ? format(value) : "null"; }

std::string number_of(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string named(const std::vector<std::string>& names, const std::string& noun) {
  constexpr std::size_t kNamed = 5;
  std::string out = number_of(static_cast<std::int64_t>(names.size()), noun) + " (";
  for (std::size_t i = 0; i < std::min(kNamed, names.size()); ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  return out + (names.size() > kNamed ? ", ...)" : ")");
}

bool parse_double(std::string_view text, double* value) { return parse(text, value); }
bool parse_float(std::string_view text, float* value) { return parse(text, value); }
bool parse_int64(std::string_view text, std::int64_t* value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc{} && stop == end && !text.empty();
}

std::string_view parse_finite(std::string_view text, double* value) { return finite(text, value); }
std::string_view parse_finite(std::string_view text, float* value) { return finite(text, value); }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

LineFile::LineFile(const std::filesystem::path& path, std::size_t limit)
    : LineFile(path.string(), open_plain(path, limit)) {}

LineFile::LineFile(std::string file, std::unique_ptr<ByteStream> bytes)
    : file_(std::move(file)), bytes_(std::move(bytes)) {}

/// Brings in one more piece; false at the end of the file.
bool LineFile::fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() - end_ < kPiece / 2) buffer_.resize(end_ + kPiece);
  const std::size_t got = bytes_->read(buffer_.data() + end_, buffer_.size() - end_);
  end_ += got;
  return got > 0;
}

/// The next line of the file, blank or not.
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

}  // namespace cdt
