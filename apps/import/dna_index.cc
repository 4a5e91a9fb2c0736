#include "apps/import/dna_index.h"

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
  for (const auto& [other, row] : chromosome.entries) {
    const std::int64_t distance = std::abs(other - centre);
    if (distance <= kNearBp) return {Kind::kNear, row, distance};
  }
  return {};
}

}  // namespace cdt
