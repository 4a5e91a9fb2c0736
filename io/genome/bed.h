// BED intervals (UCSC BED specification): tab-separated chrom, start, end, name, ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/text.h"

namespace cdt {

struct BedInterval {
  std::string chrom;
  std::int64_t start = 0;  // 0-based, half open
  std::int64_t end = 0;
  std::string name;  // "" where the line has three columns
  /// floor((start + end) / 2), the reference's centre (data loader rule 3).
  std::int64_t centre() const { return (start + end) / 2; }
};

/// A blank line, a '#', "track" or "browser" line: part of a BED file, not an interval.
bool is_bed_comment(std::string_view line);

/// The interval of the current line of `lines`, of which `fields` are the columns. InputError names
/// the file, "line N" and the column: fewer than `columns` columns (at least 3), a coordinate that
/// is none, an empty chromosome, an end before the start. An interval may be empty (BED's way of
/// writing a place between two bases).
BedInterval parse_bed(const LineFile& lines, const std::vector<std::string_view>& fields,
                      std::size_t columns);

/// A data set's enhancers.bed: every line that is_bed_comment() does not skip is a row, four
/// columns or more, none empty, names unique.
std::vector<BedInterval> read_enhancers(const std::filesystem::path& path);

}  // namespace cdt
