// Text in and out: whole small files, lines, and locale-free numbers in shortest round-trip form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/byte_stream.h"

namespace cdt {

inline constexpr std::size_t kTextFileLimit = std::size_t{64} << 20U;
inline constexpr std::size_t kHeadBytes = 256;  // enough for foreign_format()

/// The whole file. InputError: missing, a folder, over `limit` bytes, or a foreign format
/// (refuse_foreign).
std::string read_text_file(const std::filesystem::path& path, std::size_t limit = kTextFileLimit);

/// InputError "size" if a file of `size` bytes is over `limit`.
void check_size(const std::filesystem::path& path, std::size_t size, std::size_t limit);

/// What a file is by its first bytes, when it is one of the things people take for data: a Git-LFS
/// pointer, an HTML page, a pickle, a zip, gzip, xz, bzip2 or zstd archive, HDF5, npy; else "".
std::string_view foreign_format(std::string_view first_bytes);
/// Throws InputError(path, "format", ...) with a hint if foreign_format() knows the bytes.
void refuse_foreign(const std::filesystem::path& path, std::string_view first_bytes);

/// Shortest text that reads back as the same value; "nan", "inf", "-inf".
std::string format_number(float value);
std::string format_number(double value);
/// The same for JSON: "null" where the value is not finite.
std::string json_number(double value);
/// "1,234,567"
std::string format_with_commas(std::int64_t value);
/// "1 pair", "8 pairs"
std::string number_of(std::int64_t count, const std::string& noun);

/// "2 pairs (A:X, B:Y)" for the noun "pair": their number and the first five.
std::string named(const std::vector<std::string>& names, const std::string& noun);
/// "(5434, 896)"; kAnySize, of a shape that is expected, is "any".
std::string shape_text(std::span<const std::int64_t> shape);
inline constexpr std::int64_t kAnySize = -1;
inline const char* json_bool(bool value) { return value ? "true" : "false"; }

/// The whole text is one number: decimal or exponent form, "nan" and "inf" too; no hex, no spaces,
/// one leading '+' allowed. What is too small for the type rounds to its nearest number, zero
/// included. False when it is no number, or too large for the type.
bool parse_double(std::string_view text, double* value);
bool parse_float(std::string_view text, float* value);
bool parse_int64(std::string_view text, std::int64_t* value);

inline constexpr const char* kFiniteNumber = "a finite decimal number";
/// The same for a finite number: "" if it is one, else what is wrong with it, to stand before
/// "(expected kFiniteNumber, got ...)".
std::string_view parse_finite(std::string_view text, double* value);
std::string_view parse_finite(std::string_view text, float* value);

/// The parts of `text` between separators; one empty part if it is empty.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The lines of a text file, without their end ("\n" or "\r\n") and without a byte order mark. The
/// last line may lack its end; blank lines at the end of the file are none. The file is read in
/// pieces. InputError "line N" on a NUL byte or a line over 1 MiB.
class LineFile {
 public:
  explicit LineFile(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 30U);
  /// The lines of `bytes`, the content of `file`.
  LineFile(std::string file, std::unique_ptr<ByteStream> bytes);
  /// The line stays as it is until the next call.
  bool next(std::string_view* line);
  /// Number of the last line read, from 1.
  std::int64_t line() const { return line_; }
  /// "line N", the field of an InputError.
  std::string where() const { return "line " + std::to_string(line_); }
  const std::string& file() const { return file_; }

 private:
  bool take(std::string_view* line);
  bool fill();
  void check(std::string_view line) const;

  std::string file_;
  std::unique_ptr<ByteStream> bytes_;
  std::string buffer_;  // what is read and not yet taken lies in [begin_, end_)
  std::size_t begin_ = 0, end_ = 0;
  std::string_view ahead_;   // the line after the blank ones
  std::int64_t blanks_ = 0;  // blank lines to be returned before it
  bool has_ahead_ = false;
  std::int64_t line_ = 0;
};

}  // namespace cdt
