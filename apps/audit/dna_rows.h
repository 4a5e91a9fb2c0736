// What an audit keeps of each DNA window, so that the DNA is read once and row by row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/common/window_sketch.h"
#include "io/dataset/dataset.h"

namespace cdt {

struct DnaRow {
  bool constant = false;  // all bins are equal, and there are several
  std::string digest;     // of the values
};

/// Describes windows of (bins, dna_dim) values, added in the order of the enhancers.
class DnaRows {
 public:
  DnaRows(std::int64_t bins, std::int64_t dna_dim)
      : bins_(bins), dna_dim_(dna_dim), sketcher_(bins * dna_dim) {}

  void add(const float* window);
  const std::vector<DnaRow>& rows() const { return rows_; }
  const std::vector<WindowSketch>& sketches() const { return sketches_; }
  /// Whether all values of a window are 0.
  bool is_zero(std::size_t row) const { return sketches_[row].is_zero; }

 private:
  std::int64_t bins_, dna_dim_;
  WindowSketcher sketcher_;
  std::vector<DnaRow> rows_;
  std::vector<WindowSketch> sketches_;
};

/// Reads all windows of a data set, one at a time, with progress on stderr unless `quiet`; calls
/// poll(). Throws InputError as Dataset::read_dna() does.
DnaRows read_dna_rows(const Dataset& data, bool quiet);

}  // namespace cdt
