#include "apps/audit/known_pairs.h"

#include <optional>
#include <string_view>

#include "engine/error.h"
#include "io/format/gzip.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

enum Column : std::uint8_t { kGene, kChrom, kStart, kEnd, kEnhancer };

/// "chr1-1000-2000", 0-based and half-open.
std::optional<Locus> parse_element_name(std::string_view text) {
  const std::size_t last = text.rfind('-');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const std::size_t middle = text.rfind('-', last - 1);
  if (middle == std::string_view::npos || middle == 0) return std::nullopt;
  Locus out;
  out.chrom = text.substr(0, middle);
  if (!parse_int64(text.substr(middle + 1, last - middle - 1), &out.start) ||
      !parse_int64(text.substr(last + 1), &out.end) || out.start < 0 || out.end <= out.start) {
    return std::nullopt;
  }
  return out;
}

std::int64_t coordinate(const TsvFile& file, Column column) {
  std::int64_t value = 0;
  if (!parse_int64(file.field(column), &value) || value < 0) {
    file.fail(column, expected_got("bad coordinate", "0 or more", file.field(column)));
  }
  return value;
}

Locus element_of_columns(const TsvFile& file) {
  Locus out{std::string(file.field(kChrom)), coordinate(file, kStart), coordinate(file, kEnd), ""};
  if (out.chrom.empty()) file.fail(kChrom, "is empty");
  if (out.empty()) {
    file.fail(kEnd, expected_got("lies before the start",
                                 "at least " + std::to_string(out.start + 1), file.field(kEnd)));
  }
  return out;
}

Locus element_of_name(const TsvFile& file) {
  const std::string_view name = file.field(kEnhancer);
  std::optional<Locus> out = parse_locus(name);
  if (!out) out = parse_element_name(name);
  if (!out) {
    file.fail(kEnhancer,
              expected_got("is not a place", "such as chr1:1,001-2,000 or chr1-1000-2000", name));
  }
  return *out;
}

}  // namespace

KnownPairs read_known_pairs(const std::filesystem::path& path) {
  TsvFile file(lines_of_text_or_gzip(path), {"gene"}, {"chrom", "start", "end", "enhancer"});
  const bool by_columns = file.has(kChrom) && file.has(kStart) && file.has(kEnd);
  if (!by_columns && !file.has(kEnhancer)) {
    throw InputError(path.string(), "line 1",
                     "has neither the columns chrom, start and end nor the column enhancer");
  }
  KnownPairs out{path_text(path.filename()), {}};
  while (file.next()) {
    Locus element = by_columns ? element_of_columns(file) : element_of_name(file);
    std::string gene(file.field(kGene));
    if (gene.empty()) file.fail(kGene, "is empty");
    out.pairs.push_back({std::move(element), std::move(gene)});
  }
  if (out.pairs.empty()) throw InputError(path.string(), "line 2", "there is not one pair");
  return out;
}

}  // namespace cdt
