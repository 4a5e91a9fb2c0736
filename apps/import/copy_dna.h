// Copies DNA windows from a source file into a data set, one row at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "io/dataset/dataset_writer.h"

namespace cdt {

/// Counts made while the DNA was copied. A value that is not finite ends the import, so there is no
/// count of those.
struct DnaScan {
  std::int64_t rows_used = 0;  // distinct source rows
  std::int64_t zero_rows = 0;  // of these, rows that are all zeros
};

inline constexpr std::int64_t kNoRow = -1;

/// Appends one row of `size` values per element of `rows`: the source row that `read` supplies or
/// refuses, or zeros for kNoRow. Neighbours that share a source row read it once.
DnaScan copy_dna(const std::vector<std::int64_t>& rows, std::int64_t size,
                 const std::function<void(std::int64_t, float*)>& read, DatasetWriter& writer,
                 bool quiet);

}  // namespace cdt
