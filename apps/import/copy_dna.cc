#include "apps/import/copy_dna.h"

#include <algorithm>

#include "apps/common/progress.h"
#include "engine/poll.h"

namespace cdt {

std::int64_t copy_dna(const std::vector<std::int64_t>& rows, std::int64_t size,
                      const std::function<void(std::int64_t, float*)>& read, DatasetWriter& writer,
                      DnaRows* described, bool quiet) {
  std::int64_t used = 0;
  std::vector<float> sample(static_cast<std::size_t>(size), 0.0F);
  const auto total = static_cast<std::int64_t>(rows.size());
  Progress progress("DNA samples", total, quiet);
  std::int64_t held = kNoRow;  // the source row in `sample`
  for (std::int64_t i = 0; i < total; ++i) {
    poll();
    const std::int64_t row = rows[static_cast<std::size_t>(i)];
    if (row == kNoRow) {
      std::fill(sample.begin(), sample.end(), 0.0F);
      held = kNoRow;
    } else if (row != held) {
      read(row, sample.data());
      ++used;
      held = row;
    }
    writer.append_dna(sample.data(), size);
    described->add(sample.data());
    progress.update(i + 1);
  }
  progress.finish();
  return used;
}

}  // namespace cdt
