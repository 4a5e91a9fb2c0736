// A stretch of a chromosome, and how it is written. Files hold it 0-based and half open, as BED
// does (start, end). People read it 1-based with both ends included and commas, "chr1:1,001-2,000",
// as genome browsers show it and take it back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cdt {

struct Locus {
  std::string chrom;
  std::int64_t start = 0, end = 0;  // 0-based, half open
  std::string name;                 // "" where it has none

  bool empty() const { return start >= end; }
};

/// The part that lies on the chromosome of `size` bases; 0: its end is not known, only its begin
/// is. Empty (start == end) where no base does.
Locus on_chromosome(Locus locus, std::int64_t size);

/// "chr1:1,001-2,000" for bases 1000 to 1999; "no base of chr1" for none.
std::string locus_text(const Locus& locus);
/// The same without commas, for the files of genome browsers; not of an empty one.
std::string plain_locus_text(const Locus& locus);

/// Reads what the first two write, commas or not; nothing if it is no locus: no chromosome, no
/// FIRST-LAST with 1 <= FIRST <= LAST, commas that do not separate thousands.
std::optional<Locus> parse_locus(std::string_view text);

}  // namespace cdt
