#include "io/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/file.h"

namespace cdt {
namespace {

constexpr std::size_t kLineLimit = std::size_t{1} << 20U;
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

template <typename T>
bool parse(std::string_view text, T* value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc{} && stop == end && !text.empty();
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
  if (size > limit) {
    throw InputError(
        path.string(), "size",
        expected_got("file is too large", "at most " + std::to_string(limit) + " bytes",
                     std::to_string(size)));
  }
  std::string text(size, '\0');
  read_exactly(file, path, 0, text.data(), size);
  refuse_foreign(path, std::string_view(text).substr(0, 256));
  return text;
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
std::string json_number(double value) { return std::isfinite(value) ? format(value) : "null"; }

bool parse_double(std::string_view text, double* value) { return parse(text, value); }
bool parse_float(std::string_view text, float* value) {
  if (parse(text, value)) return true;
  // from_chars also refuses what is too small for a normal float; that rounds, towards zero too.
  double wide = 0.0;
  if (!parse(text, &wide) || !(std::fabs(wide) < 1.0)) return false;
  *value = static_cast<float>(wide);
  return true;
}
bool parse_int64(std::string_view text, std::int64_t* value) { return parse(text, value); }

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
    : LineFile(path.string(), read_text_file(path, limit)) {}

LineFile::LineFile(std::string file, std::string text)
    : file_(std::move(file)), text_(std::move(text)) {
  if (std::string_view(text_).substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    at_ = kByteOrderMark.size();
  }
}

bool LineFile::next(std::string_view* line) {
  if (at_ >= text_.size()) return false;
  ++line_;
  const std::string_view rest = std::string_view(text_).substr(at_);
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  at_ += end + 1;
  *line = rest.substr(0, end);
  if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
  if (line->size() > kLineLimit) {
    throw InputError(
        file_, where(),
        expected_got("line is too long", "at most 1048576 bytes", std::to_string(line->size())));
  }
  if (line->find('\0') != std::string_view::npos) {
    throw InputError(file_, where(), "holds a NUL byte; this is not a text file");
  }
  return true;
}

}  // namespace cdt
