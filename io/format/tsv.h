// Tab-separated files with a header line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/text.h"

namespace cdt {

/// Columns are found by name, in any order; columns nobody asked for are skipped. InputError names
/// the file and "line N" (and the column): missing or repeated column, ragged row, NUL byte,
/// over-long line.
class TsvFile {
 public:
  explicit TsvFile(const std::filesystem::path& path, std::vector<std::string> required_columns,
                   std::vector<std::string> optional_columns = {});

  /// Moves to the next data row; false at the end.
  bool next();
  /// Field of the current row; `column` counts required, then optional columns, and must be there.
  std::string_view field(int column) const;
  bool has(int column) const { return place_[static_cast<std::size_t>(column)] >= 0; }
  std::int64_t line() const { return lines_.line(); }
  /// Throws InputError(file, "line N, column NAME", what).
  [[noreturn]] void fail(int column, const std::string& what) const;

 private:
  LineFile lines_;
  std::vector<std::string> names_;
  std::vector<int> place_;  // of each name in the row, or -1
  std::vector<std::string_view> row_;
};

}  // namespace cdt
