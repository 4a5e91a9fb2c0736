// Profiles over a genomic window as bedGraph, the four-column track format of the UCSC and IGV
// browsers (docs/formats.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace cdt {

/// What stands in the track line. Double quotes and control characters are replaced.
struct TrackLabel {
  std::string name;
  std::string description;
  std::string assembly;  // e.g. "hg38"; empty: left out
};

/// Equal bins side by side; bin i covers [start + i * bin_bp, start + (i + 1) * bin_bp), 0-based,
/// half open. start may be negative: the window of an enhancer near a chromosome's begin.
struct TrackWindow {
  std::string chrom;
  std::int64_t start = 0;
  std::int64_t bin_bp = 0;
};

/// One line per bin, ascending, without overlap; what lies before position 0 is cut off. The
/// chromosome's length is not known here, so its end is not.
std::string bedgraph_text(const TrackLabel& label, const TrackWindow& window,
                          std::span<const float> values);

void write_bedgraph(const std::filesystem::path& path, const TrackLabel& label,
                    const TrackWindow& window, std::span<const float> values);

/// `text` as part of a file name: anything but letters, digits, '.', '-' and '_' becomes '_', no
/// '.' or '-' in front, at most `limit` characters. Not unique: different texts may become equal.
std::string file_name_part(std::string_view text, std::size_t limit = 60);

}  // namespace cdt
