#include "io/genome/locus.h"

#include <algorithm>

#include "engine/error.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

/// Parses a whole number, plain or with a comma before every three digits.
bool parse_position(std::string_view text, std::int64_t* out) {
  std::string digits(text);
  std::erase(digits, ',');
  if (digits.find_first_not_of("0123456789") != std::string::npos) return false;
  return parse_int64(digits, out) && (digits == text || format_with_commas(*out) == text);
}

constexpr std::int64_t kCoordinateLimit = (std::int64_t{1} << 32U) - 1;  // 32 bits, as in bigBed

std::int64_t coordinate(const LineFile& lines, const char* column, std::string_view text) {
  std::int64_t value = 0;
  if (!parse_int64(text, &value) || value < 0 || value > kCoordinateLimit) {
    throw InputError(lines.file(), lines.where() + ", " + column,
                     expected_got("bad coordinate", "0 to 4294967295", text));
  }
  return value;
}

}  // namespace

Locus on_chromosome(Locus locus, std::int64_t size) {
  for (std::int64_t* end : {&locus.start, &locus.end}) {
    *end = std::max<std::int64_t>(*end, 0);
    if (size > 0) *end = std::min(*end, size);
  }
  return locus;
}

std::string locus_text(const Locus& locus) {
  if (locus.empty()) return "no base of " + locus.chrom;
  return locus.chrom + ":" + format_with_commas(locus.start + 1) + "-" +
         format_with_commas(locus.end);
}

std::string plain_locus_text(const Locus& locus) {
  CDT_CHECK(!locus.empty(), "an empty locus has no text");
  return locus.chrom + ":" + std::to_string(locus.start + 1) + "-" + std::to_string(locus.end);
}

std::optional<Locus> parse_locus(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const std::vector<std::string_view> ends = split(text.substr(colon + 1), '-');
  Locus out;
  out.chrom = text.substr(0, colon);
  if (ends.size() != 2 || !parse_position(ends[0], &out.start) ||
      !parse_position(ends[1], &out.end) || out.start < 1 || out.end < out.start) {
    return std::nullopt;
  }
  --out.start;
  return out;
}

bool is_bed_comment(std::string_view line) {
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  return line.empty() || line[0] == '#' || word == "track" || word == "browser";
}

Locus parse_bed(const LineFile& lines, const std::vector<std::string_view>& fields,
                std::size_t columns) {
  if (fields.size() < columns) {
    throw InputError(
        lines.file(), lines.where(),
        expected_got("too few tab-separated columns", "at least " + std::to_string(columns),
                     std::to_string(fields.size())));
  }
  Locus out{std::string(fields[0]), coordinate(lines, "start", fields[1]),
            coordinate(lines, "end", fields[2]),
            std::string(fields.size() > 3 ? fields[3] : std::string_view())};
  if (out.chrom.empty()) throw InputError(lines.file(), lines.where() + ", chrom", "is empty");
  if (out.start > out.end) {
    throw InputError(
        lines.file(), lines.where() + ", end",
        expected_got("lies before the start", "at least " + std::to_string(out.start), fields[2]));
  }
  return out;
}

}  // namespace cdt
