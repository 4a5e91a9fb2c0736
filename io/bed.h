// BED intervals (UCSC BED specification): tab-separated chrom, start, end, name, ...
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cdt {

struct BedInterval {
  std::string chrom;
  std::int64_t start = 0;  // 0-based, half open
  std::int64_t end = 0;
  std::string name;  // "" where the file has three columns
  /// floor((start + end) / 2), the reference's centre (data loader rule 3).
  std::int64_t centre() const { return (start + end) / 2; }
};

/// Annotation tracks: three columns or more; blank lines, '#', "track" and "browser" lines are
/// skipped. InputError names the file and "line N".
std::vector<BedInterval> read_bed(const std::filesystem::path& path);

/// A data set's enhancers.bed: every line is a row, four columns or more, names unique.
std::vector<BedInterval> read_enhancers(const std::filesystem::path& path);

}  // namespace cdt
