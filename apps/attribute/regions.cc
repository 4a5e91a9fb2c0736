#include "apps/attribute/regions.h"

#include <algorithm>

#include "apps/attribute/place.h"
#include "engine/error.h"
#include "io/text.h"

namespace cdt {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw InputError("command line", "--occlude-region", what);
}

/// "FIRST-LAST", both included, counted from `origin`.
bool parse_range(std::string text, std::int64_t origin, Region* out) {
  if (!out->chrom.empty()) std::erase(text, ',');
  const std::vector<std::string_view> ends = split(text, '-');
  if (ends.size() != 2 || !parse_int64(ends[0], &out->begin) || !parse_int64(ends[1], &out->end)) {
    return false;
  }
  const bool in_order = origin <= out->begin && out->begin <= out->end;
  out->begin -= origin;
  out->end += 1 - origin;
  return in_order;
}

Region parse_region(const std::string& text, const Dataset& data) {
  Region out{text, "", 0, 0};
  const std::size_t colon = text.rfind(':');
  const bool bases = colon != std::string::npos;
  if (bases) out.chrom = text.substr(0, colon);
  const bool parsed = parse_range(bases ? text.substr(colon + 1) : text, bases ? 1 : 0, &out);
  if (!parsed || (bases && out.chrom.empty())) {
    refuse(expected_got("not a region", "FIRST-LAST in bins or CHROM:FIRST-LAST in bases", text));
  }
  if (!bases && out.end > data.bins) {
    refuse(expected_got("past the window", "bins 0 to " + std::to_string(data.bins - 1), text));
  }
  return out;
}

}  // namespace

std::optional<BinRange> Region::bins_in(const Dataset& data, std::int32_t enhancer) const {
  if (chrom.empty()) return BinRange{begin, end};
  const Enhancer& e = data.enhancers[static_cast<std::size_t>(enhancer)];
  const std::int64_t start = bin_start(data, e, 0);
  const std::int64_t length = data.bins * data.bin_bp;
  if (chrom != e.chrom || begin < start || end > start + length) return std::nullopt;
  return BinRange{(begin - start) / data.bin_bp, (end - 1 - start) / data.bin_bp + 1};
}

std::vector<Region> choose_regions(const std::vector<std::string>& texts, const Dataset& data,
                                   const std::vector<Pair>& pairs) {
  std::vector<Region> out;
  for (const std::string& text : texts) {
    const Region region = parse_region(text, data);
    if (std::count(texts.begin(), texts.end(), text) > 1) refuse("given twice: " + text);
    if (std::none_of(pairs.begin(), pairs.end(), [&](const Pair& pair) {
          return region.bins_in(data, pair.enhancer).has_value();
        })) {
      refuse("the window of no chosen enhancer holds all of " + text);
    }
    out.push_back(region);
  }
  return out;
}

}  // namespace cdt
