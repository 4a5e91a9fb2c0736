// Reads bigWig files, written from the format's description (Kent et al. 2010, supplementary
// tables) and independent of libBigWig: header, chromosome tree, data blocks through the R tree,
// zoom headers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/genome/tracks.h"

namespace cdt::test {

struct BigWigContent {
  std::map<std::string, std::uint32_t> sizes;                 // per chromosome
  std::map<std::string, std::vector<ScoredInterval>> scores;  // in file order
  std::uint16_t zoom_levels = 0;
  // The summary that browsers use for scaling.
  std::uint64_t bases = 0;
  double min = 0, max = 0, sum = 0;
};

/// Throws std::runtime_error for anything that violates the format.
BigWigContent read_bigwig(std::string_view bytes);

}  // namespace cdt::test
