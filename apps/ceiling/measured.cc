#include "apps/ceiling/measured.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/error.h"
#include "io/format/gzip.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

bool is_missing(std::string_view field) {
  std::string lower(field);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 6> kMissing{"", ".", "na", "n/a", "nan", "null"};
  return std::find(kMissing.begin(), kMissing.end(), lower) != kMissing.end();
}

float value_of(const TsvFile& rows, int column) {
  const std::string_view field = rows.field(column);
  if (is_missing(field)) return std::numeric_limits<float>::quiet_NaN();
  float value = 0;
  const std::string_view fault = parse_finite(field, &value);
  if (!fault.empty()) {
    rows.fail(column, expected_got(fault, std::string(kFiniteNumber) + ", or NA", field));
  }
  return value;
}

}  // namespace

std::vector<std::string> header_of(const std::filesystem::path& file) {
  LineFile lines = lines_of_text_or_gzip(file);
  std::string_view line;
  if (!lines.next(&line)) throw InputError(lines.file(), "line 1", "header line is missing");
  const std::vector<std::string_view> names = split(line, '\t');
  return {names.begin(), names.end()};
}

std::vector<MeasuredRow> read_measured(const std::filesystem::path& file,
                                       const MeasuredColumns& columns) {
  std::vector<std::string> names = columns.key;
  const int value = static_cast<int>(names.size());
  names.push_back(columns.value);
  if (!columns.cluster.empty()) names.push_back(columns.cluster);
  TsvFile rows(lines_of_text_or_gzip(file), names);
  std::vector<MeasuredRow> out;
  std::unordered_set<std::string> keys;
  while (rows.next()) {
    MeasuredRow row;
    for (int k = 0; k < value; ++k) row.key.append(k > 0 ? "\t" : "").append(rows.field(k));
    if (!keys.insert(row.key).second) {
      std::vector<std::string> key;
      for (int k = 0; k < value; ++k) key.push_back(escape_bytes(rows.field(k)));
      rows.fail(0, "twice: " + joined(key, ", ") + "; the key must name one row" + columns.advice);
    }
    row.cluster = columns.cluster.empty() ? row.key : std::string(rows.field(value + 1));
    row.value = value_of(rows, value);
    out.push_back(std::move(row));
  }
  return out;
}

CommonRows common_rows(const std::vector<MeasuredRow>& first,
                       const std::vector<MeasuredRow>& second) {
  std::unordered_map<std::string_view, float> others;
  for (const MeasuredRow& row : second) others.emplace(row.key, row.value);
  std::unordered_map<std::string_view, std::int32_t> clusters;
  CommonRows out;
  std::int64_t common = 0;
  for (const MeasuredRow& row : first) {
    const auto other = others.find(row.key);
    if (other == others.end()) {
      ++out.only_first;
      continue;
    }
    ++common;
    if (std::isnan(row.value) || std::isnan(other->second)) {
      ++out.missing;
      continue;
    }
    out.first.push_back(row.value);
    out.second.push_back(other->second);
    const auto number = static_cast<std::int32_t>(clusters.size());
    out.cluster.push_back(clusters.emplace(row.cluster, number).first->second);
  }
  out.only_second = std::ssize(second) - common;
  out.clusters = static_cast<std::int32_t>(clusters.size());
  return out;
}

}  // namespace cdt
