// Text files, read whole, line by line, or as tab-separated columns under a header line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/text.h"

namespace cdt {

inline constexpr std::size_t kTextFileLimit = std::size_t{64} << 20U;
inline constexpr std::size_t kHeadBytes = 256;  // enough for refuse_foreign()

/// Throws InputError(path, "format", ...) with a hint if the first bytes are those of something
/// often mistaken for the data: a Git-LFS pointer, an HTML page, a pickle, a zip, gzip, xz, bzip2
/// or zstd archive, HDF5, npy.
void refuse_foreign(const std::filesystem::path& path, std::string_view first_bytes);

/// Reads the whole file. Throws InputError if it is missing, a folder, over `limit` bytes, or in a
/// foreign format (refuse_foreign).
std::string read_text_file(const std::filesystem::path& path, std::size_t limit = kTextFileLimit);

/// The bytes of a file, one piece after another, so that a reader holds only a piece and what it
/// keeps.
class ByteStream {
 public:
  ByteStream() = default;
  virtual ~ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// Reads up to `size` bytes, at least one unless at the end. Throws InputError naming the file.
  virtual std::size_t read(char* out, std::size_t size) = 0;
};

/// Opens a file without decompression. Throws InputError as read_text_file().
std::unique_ptr<ByteStream> open_plain(const std::filesystem::path& path, std::size_t limit);

/// The lines of a text file, without line ends ("\n" or "\r\n") and without a byte order mark. The
/// last line may lack its line end; blank lines at the end of the file are dropped. The file is
/// read in pieces. Throws InputError "line N" on a NUL byte or a line over 1 MiB.
class LineFile {
 public:
  explicit LineFile(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 30U);
  /// Reads the lines of `bytes`, the content of `file`.
  LineFile(std::string file, std::unique_ptr<ByteStream> bytes);
  /// Moves to the next line, which stays valid until the next call.
  bool next(std::string_view* line);
  /// Number of the last line read, counting from 1.
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
  std::string buffer_;  // bytes read but not yet taken are in [begin_, end_)
  std::size_t begin_ = 0, end_ = 0;
  std::string_view ahead_;   // the line after the blank lines
  std::int64_t blanks_ = 0;  // blank lines to return before it
  bool has_ahead_ = false;
  std::int64_t line_ = 0;
};

/// A tab-separated file with a header line. Columns are found by name, in any order; other columns
/// are ignored. Throws InputError naming the file and "line N" (and the column) for a missing or
/// repeated column, a row with too few or too many fields, a NUL byte or an over-long line.
class TsvFile {
 public:
  explicit TsvFile(const std::filesystem::path& path, std::vector<std::string> required_columns,
                   std::vector<std::string> optional_columns = {});
  /// Reads a table from its lines, such as those of lines_of_text_or_gzip().
  explicit TsvFile(LineFile lines, std::vector<std::string> required_columns,
                   std::vector<std::string> optional_columns = {});

  /// Moves to the next data row; false at the end.
  bool next();
  /// Field of the current row; `column` counts the required, then the optional columns, and must
  /// exist.
  std::string_view field(int column) const;
  bool has(int column) const { return place_[static_cast<std::size_t>(column)] >= 0; }
  std::int64_t line() const { return lines_.line(); }
  /// Throws InputError(file, "line N, column NAME", what).
  [[noreturn]] void fail(int column, const std::string& what) const;

 private:
  LineFile lines_;
  std::vector<std::string> names_;
  std::vector<int> place_;  // position of each name in a row, or -1
  std::vector<std::string_view> row_;
};

/// One row of such a file, with its line end.
inline std::string tab_separated(const std::vector<std::string>& fields) {
  return joined(fields, "\t") + "\n";
}

}  // namespace cdt
