// A stretch of a chromosome, how it is written, and the lines of BED files. Files hold it 0-based
// and half open, as BED does (start, end). People read it 1-based with both ends included and
// commas, "chr1:1,001-2,000", as genome browsers show it and take it back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/text_file.h"

namespace cdt {

struct Locus {
  std::string chrom;
  std::int64_t start = 0, end = 0;  // 0-based, half open
  std::string name;                 // "" where it has none

  bool operator==(const Locus&) const = default;
  bool empty() const { return start >= end; }
  /// floor((start + end) / 2), the reference's centre (data loader rule 3).
  std::int64_t centre() const { return (start + end) / 2; }
};

/// The part that lies on the chromosome of `size` bases; 0: its end is not known, only its begin
/// is. Empty (start == end) where no base does.
Locus on_chromosome(Locus locus, std::int64_t size);

/// "chr1:1,001-2,000" for bases 1000 to 1999; "no base of chr1" for none.
std::string locus_text(const Locus& locus);
/// "chr1:1001-2000", without commas, for the files of genome browsers; not of an empty one.
std::string plain_locus_text(const Locus& locus);

/// Reads what the first two write, commas or not; nothing if it is no locus: no chromosome, no
/// FIRST-LAST with 1 <= FIRST <= LAST, commas that do not separate thousands.
std::optional<Locus> parse_locus(std::string_view text);

/// A blank line, a '#', "track" or "browser" line: part of a BED file, not an interval.
bool is_bed_comment(std::string_view line);

/// The interval of the current line of `lines`, of which `fields` are the columns. InputError names
/// the file, "line N" and the column: fewer than `columns` columns (at least 3), a coordinate that
/// is none, an empty chromosome, an end before the start. An interval may be empty (BED's way of
/// writing a place between two bases).
Locus parse_bed(const LineFile& lines, const std::vector<std::string_view>& fields,
                std::size_t columns);

}  // namespace cdt
