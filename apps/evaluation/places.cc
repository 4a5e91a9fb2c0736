#include "apps/evaluation/places.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>

namespace cdt {
namespace {

/// The starts of all genes of a data set, by chromosome and ascending.
class SortedStarts {
 public:
  explicit SortedStarts(const GeneStarts& starts) {
    for (const std::optional<GeneStart>& start : starts.of_gene) {
      if (start) positions_[start->chrom].push_back(start->position);
    }
    for (auto& [chrom, positions] : positions_) std::sort(positions.begin(), positions.end());
  }

  /// Distance to the nearest start; there must be one on the chromosome.
  std::int64_t nearest(const std::string& chrom, std::int64_t position) const {
    const std::vector<std::int64_t>& all = positions_.at(chrom);
    const auto after = std::lower_bound(all.begin(), all.end(), position);
    std::int64_t out = std::numeric_limits<std::int64_t>::max();
    if (after != all.end()) out = *after - position;
    if (after != all.begin()) out = std::min(out, position - *(after - 1));
    return out;
  }

 private:
  std::map<std::string, std::vector<std::int64_t>> positions_;
};

}  // namespace

Places places_of(const Dataset& data, const GeneStarts& starts, const std::vector<Pair>& pairs) {
  const SortedStarts sorted(starts);
  Places out;
  for (const Pair& pair : pairs) {
    const Enhancer& enhancer = enhancer_of(data, pair);
    const std::optional<GeneStart>& start = starts.of_gene.at(static_cast<std::size_t>(pair.gene));
    out.emplace_back();
    const std::optional<std::int64_t> offset = start_offset(enhancer, start);
    if (!offset) continue;
    const int sign = *offset < 0   ? 1
                     : *offset > 0 ? -1
                                   : 0;  // of the enhancer, seen from the start
    const std::int64_t distance = std::abs(*offset);
    out.back() = Place{distance, static_cast<double>(sign * start->strand),
                       distance == sorted.nearest(enhancer.chrom, enhancer.centre())};
  }
  return out;
}

}  // namespace cdt
