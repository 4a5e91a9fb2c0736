// Where a gene is transcribed from.
#pragma once

#include <cstdint>
#include <string>

namespace cdt {

struct GeneStart {
  std::string chrom;
  std::int64_t position = 0;  // of the first transcribed base, 0-based
  int strand = 0;             // 1 or -1; 0 if unknown

  bool operator==(const GeneStart&) const = default;
};

}  // namespace cdt
