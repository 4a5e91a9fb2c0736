// Copies DNA windows from a source file into a data set, one row at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "apps/audit/dna_rows.h"
#include "io/dataset/dataset_writer.h"

namespace cdt {

inline constexpr std::int64_t kNoRow = -1;

/// Appends one row of `size` values per element of `rows`: the source row that `read` supplies or
/// refuses, or zeros for kNoRow; describes it in `described`. Neighbours that share a source row
/// read it once. Returns the number of source rows that were read.
std::int64_t copy_dna(const std::vector<std::int64_t>& rows, std::int64_t size,
                      const std::function<void(std::int64_t, float*)>& read, DatasetWriter& writer,
                      DnaRows* described, bool quiet);

}  // namespace cdt
