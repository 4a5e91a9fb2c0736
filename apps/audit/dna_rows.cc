#include "apps/audit/dna_rows.h"

#include <algorithm>

#include "apps/common/progress.h"
#include "engine/poll.h"
#include "io/format/digest.h"

namespace cdt {

void DnaRows::add(const float* window) {
  const std::int64_t size = bins_ * dna_dim_;
  DnaRow row;
  // Equal to the same window shifted by one bin: every bin equals the next.
  row.constant = bins_ > 1 && std::equal(window + dna_dim_, window + size, window);
  Digest digest;
  digest.add(window, static_cast<std::size_t>(size) * sizeof(float));
  row.digest = digest.hex();
  rows_.push_back(std::move(row));
  sketches_.push_back(sketcher_.of(window));
}

DnaRows read_dna_rows(const Dataset& data, bool quiet) {
  DnaRows out(data.bins, data.dna_dim);
  std::vector<float> window(static_cast<std::size_t>(data.bins * data.dna_dim));
  Progress progress("DNA windows", data.enhancers_count(), quiet);
  for (std::int64_t i = 0; i < data.enhancers_count(); ++i) {
    poll();
    data.read_dna(static_cast<std::int32_t>(i), window.data());
    out.add(window.data());
    progress.update(i + 1);
  }
  progress.finish();
  return out;
}

}  // namespace cdt
