// An interval of a chromosome, its text forms, and the lines of BED files. Files hold it 0-based
// and half-open as BED does (start, end); people read it 1-based, inclusive and with commas,
// "chr1:1,001-2,000", as genome browsers show and accept it.
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
  std::int64_t start = 0, end = 0;  // 0-based, half-open
  std::string name;                 // "" where it has none

  bool operator==(const Locus&) const = default;
  bool empty() const { return start >= end; }
  /// Centre as the reference computes it, floor((start + end) / 2) (data loader rule 3).
  std::int64_t centre() const { return (start + end) / 2; }
};

/// The part of a locus that is on a chromosome of `size` bases; with size 0 the end is unknown and
/// only the start is clipped. Empty (start == end) if no base is.
Locus on_chromosome(Locus locus, std::int64_t size);

/// "chr1:1,001-2,000" for bases 1000 to 1999; "no base of chr1" for none.
std::string locus_text(const Locus& locus);
/// "chr1:1001-2000", without commas, for files of genome browsers. The locus must not be empty.
std::string plain_locus_text(const Locus& locus);

/// Parses the output of the first two, with or without commas; nothing for text that is no locus:
/// no chromosome, no FIRST-LAST with 1 <= FIRST <= LAST, commas that do not separate thousands.
std::optional<Locus> parse_locus(std::string_view text);

/// Whether a line of a BED file is no interval: blank, or beginning with '#', "track" or "browser".
bool is_bed_comment(std::string_view line);

/// Parses the interval of the current line of `lines`, split into `fields`. Throws InputError
/// naming the file, "line N" and the column for fewer than `columns` columns (at least 3), an
/// invalid coordinate, an empty chromosome, or an end before the start. An interval may be empty
/// (in BED, a place between two bases).
Locus parse_bed(const LineFile& lines, const std::vector<std::string_view>& fields,
                std::size_t columns);

}  // namespace cdt
