#include "apps/evaluation/pair_table.h"

#include <algorithm>
#include <string_view>

#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr std::size_t kTableLimit = std::size_t{1} << 30U;

}  // namespace

void expect_recorded_table(const std::filesystem::path& table, const std::string& digest,
                           const std::string& record) {
  const std::string found = digest_of(read_text_file(table, kTableLimit));
  if (found == digest) return;
  throw InputError(table.string(), "content",
                   expected_got("is not the table that " + record + " beside it was computed from",
                                digest, found));
}

std::vector<std::vector<float>> read_pair_columns(const std::filesystem::path& table,
                                                  const Dataset& data,
                                                  const std::vector<Pair>& pairs,
                                                  const std::vector<std::string>& names) {
  std::vector<std::string> columns{"enhancer", "gene"};
  if (!data.samples.empty()) columns.emplace_back("sample");
  const auto naming = static_cast<int>(columns.size());
  columns.insert(columns.end(), names.begin(), names.end());
  TsvFile file(table, columns);
  std::vector<std::vector<float>> out(names.size());
  std::size_t row = 0;
  while (file.next()) {
    if (row == pairs.size()) file.fail(0, "there are more rows than tested pairs");
    const Pair& pair = pairs[row++];
    std::string cells(file.field(0));
    for (int i = 1; i < naming; ++i) cells.append("\t").append(file.field(i));
    if (cells != pair_cells(data, pair)) {
      std::replace(cells.begin(), cells.end(), '\t', ':');
      file.fail(0, expected_got("is not the pair that the data set tests here",
                                pair_name(data, pair), cells));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      const int column = naming + static_cast<int>(i);
      float value = 0;
      const std::string_view fault = parse_finite(file.field(column), &value);
      if (!fault.empty()) file.fail(column, expected_got(fault, kFiniteNumber, file.field(column)));
      out[i].push_back(value);
    }
  }
  if (row < pairs.size()) {
    throw InputError(table.string(), "rows",
                     expected_got("are not all tested pairs", std::to_string(pairs.size()),
                                  std::to_string(row)));
  }
  return out;
}

}  // namespace cdt
