#include "apps/import/dna_index.h"

#include <algorithm>
#include <cstdlib>

namespace cdt {

void DnaIndex::add(const std::string& chrom, std::int64_t centre) {
  Chromosome& chromosome = chromosomes_[chrom];
  const auto [at, is_new] = chromosome.place.try_emplace(centre, chromosome.entries.size());
  if (is_new) {
    chromosome.entries.emplace_back(centre, rows_);
    ++distinct_;
  } else {
    chromosome.entries[at->second].second = rows_;
  }
  ++rows_;
}

DnaIndex::Match DnaIndex::find(const std::string& chrom, std::int64_t centre) const {
  const auto found = chromosomes_.find(chrom);
  if (found == chromosomes_.end()) return {};
  const Chromosome& chromosome = found->second;
  const auto exact = chromosome.place.find(centre);
  if (exact != chromosome.place.end()) {
    return {Kind::kExact, chromosome.entries[exact->second].second, 0};
  }
  // The centres near enough, and of these the first in the dictionary's order.
  const auto begin = chromosome.place.lower_bound(centre - kNearBp);
  const auto end = chromosome.place.upper_bound(centre + kNearBp);
  if (begin == end) return {};
  const auto first = std::min_element(
      begin, end, [](const auto& a, const auto& b) { return a.second < b.second; });
  return {Kind::kNear, chromosome.entries[first->second].second, std::abs(first->first - centre)};
}

}  // namespace cdt
