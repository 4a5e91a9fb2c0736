// The tables of a prediction, read back: predictions.tsv and controls.tsv, whose rows are the
// predicted pairs in the order of the data set.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// Throws InputError unless the table is the one that the file `record` beside it was computed
/// from, by the digest that it records.
void expect_recorded_table(const std::filesystem::path& table, const std::string& digest,
                           const std::string& record = "metrics.json");

/// Reads columns of finite numbers of a table whose rows are `pairs`, which it names in the columns
/// enhancer, gene and, with samples, sample: (names, pairs). Throws InputError for other rows.
std::vector<std::vector<float>> read_pair_columns(const std::filesystem::path& table,
                                                  const Dataset& data,
                                                  const std::vector<Pair>& pairs,
                                                  const std::vector<std::string>& names);

}  // namespace cdt
