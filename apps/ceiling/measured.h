// Two tables of measurements, and the rows that both have.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cdt {

/// The columns that are read of one table.
struct MeasuredColumns {
  std::vector<std::string> key;  // together they name a row
  std::string value;
  std::string cluster;   // rows that belong together; "" if every row is on its own
  std::string advice{};  // appended to the message that a key is there twice
};

struct MeasuredRow {
  std::string key;      // fields of the key, separated by tabs
  std::string cluster;  // the key if there is no such column
  float value = 0;      // NaN if it is missing
};

/// Names in the header line of a tab-separated file.
std::vector<std::string> header_of(const std::filesystem::path& file);

/// Reads a tab-separated file. Missing values are "", ".", NA, N/A, NaN and null, in
/// any case. Throws InputError naming line and column for a missing column, a key that an earlier
/// row has, or a value that is neither missing nor a finite number.
std::vector<MeasuredRow> read_measured(const std::filesystem::path& file,
                                       const MeasuredColumns& columns);

/// The rows that two tables have in common, in the order of the first.
struct CommonRows {
  std::int64_t only_first = 0, only_second = 0;  // rows whose key the other table lacks
  std::int64_t missing = 0;                      // common rows without a value in either table
  std::vector<float> first, second;              // values of the others
  std::vector<std::int32_t> cluster;             // by the first table's column, from 0
  std::int32_t clusters = 0;
};
CommonRows common_rows(const std::vector<MeasuredRow>& first,
                       const std::vector<MeasuredRow>& second);

}  // namespace cdt
