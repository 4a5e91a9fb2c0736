#include "apps/attribute/place.h"

#include <algorithm>
#include <limits>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw InputError("command line", "--occlude-region", what);
}

/// Parses "FIRST-LAST", both inclusive, counting from 0.
bool parse_bins(std::string_view text, Region* out) {
  const std::vector<std::string_view> ends = split(text, '-');
  if (ends.size() != 2 || !parse_int64(ends[0], &out->begin) || !parse_int64(ends[1], &out->end)) {
    return false;
  }
  if (out->begin < 0 || out->end < out->begin) return false;
  out->text = std::to_string(out->begin) + "-" + std::to_string(out->end);
  out->end = std::min(out->end, std::numeric_limits<std::int64_t>::max() - 1) + 1;
  return true;
}

Region bases(const Locus& locus, const ChromosomeSizes& sizes) {
  const std::int64_t size = sizes.size(locus.chrom);
  if (size > 0 && locus.end > size) {
    refuse(expected_got("past the end of " + locus.chrom, "bases 1 to " + format_with_commas(size),
                        locus_text(locus)));
  }
  return {locus_text(locus), locus.chrom, locus.start, locus.end};
}

Region parse_region(const std::string& text, const Dataset& data, const ChromosomeSizes& sizes) {
  if (const std::optional<Locus> locus = parse_locus(text)) return bases(*locus, sizes);
  Region out;
  if (!parse_bins(text, &out)) {
    refuse(expected_got("not a region", "FIRST-LAST in bins or CHROM:FIRST-LAST in bases", text));
  }
  if (out.end > data.bins) {
    refuse(expected_got("past the window", "bins 0 to " + std::to_string(data.bins - 1), text));
  }
  return out;
}

}  // namespace

Locus bin_interval(const Dataset& data, const ChromosomeSizes& sizes, const Pair& pair,
                   std::int64_t bin) {
  const Enhancer& e = enhancer_of(data, pair);
  const std::int64_t start = bin_start(data, e, bin);
  return on_chromosome({e.chrom, start, start + data.bin_bp, ""}, sizes.size(e.chrom));
}

Locus window_interval(const Dataset& data, const ChromosomeSizes& sizes, const Pair& pair) {
  const Enhancer& e = enhancer_of(data, pair);
  return on_chromosome({e.chrom, bin_start(data, e, 0), bin_start(data, e, data.bins), e.name},
                       sizes.size(e.chrom));
}

std::optional<BinRange> Region::bins_in(const Dataset& data, std::int32_t enhancer) const {
  if (chrom.empty()) return BinRange{begin, end};
  const Enhancer& e = enhancer_of(data, enhancer);
  const std::int64_t start = bin_start(data, e, 0);
  const std::int64_t length = data.bins * data.bin_bp;
  if (chrom != e.chrom || begin < start || end > start + length) return std::nullopt;
  return BinRange{(begin - start) / data.bin_bp, (end - 1 - start) / data.bin_bp + 1};
}

std::vector<Region> choose_regions(const std::vector<std::string>& texts, const Dataset& data,
                                   const ChromosomeSizes& sizes, const std::vector<Pair>& pairs) {
  std::vector<Region> out;
  for (const std::string& text : texts) {
    const Region region = parse_region(text, data, sizes);
    const bool is_known = std::any_of(out.begin(), out.end(), [&](const Region& r) {
      return r.chrom == region.chrom && r.begin == region.begin && r.end == region.end;
    });
    if (is_known) refuse("given twice: " + region.text);
    if (std::none_of(pairs.begin(), pairs.end(), [&](const Pair& pair) {
          return region.bins_in(data, pair.enhancer).has_value();
        })) {
      refuse("the window of no chosen enhancer holds all of " + region.text);
    }
    out.push_back(region);
  }
  return out;
}

}  // namespace cdt
