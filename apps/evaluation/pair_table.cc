#include "apps/evaluation/pair_table.h"

#include <string_view>

#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr std::size_t kTableLimit = std::size_t{1} << 30U;

}  // namespace

void expect_recorded_table(const std::filesystem::path& table, const std::string& digest) {
  const std::string found = digest_of(read_text_file(table, kTableLimit));
  if (found == digest) return;
  throw InputError(table.string(), "content",
                   expected_got("is not the table that metrics.json beside it was computed from",
                                digest, found));
}

std::vector<std::vector<float>> read_pair_columns(const std::filesystem::path& table,
                                                  const Dataset& data,
                                                  const std::vector<Pair>& pairs,
                                                  const std::vector<std::string>& names) {
  std::vector<std::string> columns{"enhancer", "gene"};
  columns.insert(columns.end(), names.begin(), names.end());
  TsvFile file(table, columns);
  std::vector<std::vector<float>> out(names.size());
  std::size_t row = 0;
  while (file.next()) {
    if (row == pairs.size()) file.fail(0, "there are more rows than tested pairs");
    const Pair& pair = pairs[row++];
    if (file.field(0) != enhancer_of(data, pair).name || file.field(1) != gene_of(data, pair)) {
      file.fail(0,
                expected_got("is not the pair that the data set tests here", pair_name(data, pair),
                             std::string(file.field(0)) + ":" + std::string(file.field(1))));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      const int column = static_cast<int>(i) + 2;
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
