// DNA windows on their way from a source file into a data set, a row at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "io/dataset/dataset_writer.h"

namespace cdt {

/// Seen while the DNA samples were copied. A value that is not finite ends the import, so none is
/// counted here.
struct DnaScan {
  std::int64_t rows_used = 0;  // distinct source rows
  std::int64_t zero_rows = 0;  // of these, rows without any value but 0
};

inline constexpr std::int64_t kNoRow = -1;

/// Appends one row of `size` values per element of `rows`: that row of the source, which `read`
/// gives or refuses, or zeros for kNoRow. A source row that neighbours share is read once.
DnaScan copy_dna(const std::vector<std::int64_t>& rows, std::int64_t size,
                 const std::function<void(std::int64_t, float*)>& read, DatasetWriter& writer,
                 bool quiet);

}  // namespace cdt
