#include "apps/import/copy_dna.h"

#include <algorithm>

#include "apps/common/progress.h"
#include "engine/poll.h"

namespace cdt {

DnaScan copy_dna(const std::vector<std::int64_t>& rows, std::int64_t size,
                 const std::function<void(std::int64_t, float*)>& read, DatasetWriter& writer,
                 bool quiet) {
  DnaScan scan;
  std::vector<float> sample(static_cast<std::size_t>(size), 0.0F);
  const auto total = static_cast<std::int64_t>(rows.size());
  Progress progress("DNA samples", total, quiet);
  std::int64_t held = kNoRow;  // the source row in `sample`
  for (std::int64_t i = 0; i < total; ++i) {
    poll();
    const std::int64_t row = rows[static_cast<std::size_t>(i)];
    if (row == kNoRow) {
      std::fill(sample.begin(), sample.end(), 0.0F);
    } else if (row != held) {
      read(row, sample.data());
      ++scan.rows_used;
      const bool zero =
          std::all_of(sample.begin(), sample.end(), [](float value) { return value == 0.0F; });
      scan.zero_rows += zero ? 1 : 0;
      held = row;
    }
    writer.append_dna(sample.data(), size);
    progress.update(i + 1);
  }
  progress.finish();
  return scan;
}

}  // namespace cdt
