#include "io/format/tsv.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/error.h"

namespace cdt {

TsvFile::TsvFile(const std::filesystem::path& path, std::vector<std::string> required_columns,
                 std::vector<std::string> optional_columns)
    : lines_(path), names_(std::move(required_columns)) {
  const std::size_t required = names_.size();
  std::move(optional_columns.begin(), optional_columns.end(), std::back_inserter(names_));
  std::string_view header;
  if (!lines_.next(&header)) throw InputError(lines_.file(), "line 1", "header line is missing");
  row_ = split(header, '\t');
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto at = std::find(row_.begin(), row_.end(), names_[i]);
    place_.push_back(at == row_.end() ? -1 : static_cast<int>(at - row_.begin()));
    if (at == row_.end() && i < required) fail(static_cast<int>(i), "column is missing");
    if (at != row_.end() && std::find(at + 1, row_.end(), names_[i]) != row_.end()) {
      fail(static_cast<int>(i), "column stands twice");
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
