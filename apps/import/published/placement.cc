#include "apps/import/published/placement.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

using Kind = DnaIndex::Kind;

/// BED line of an element. BED needs at least one base; adding one to an empty element does not
/// move floor((start+end)/2).
Enhancer bed_line(const ElementTable::Element& element) {
  return {element.chrom, element.start, std::max(element.end, element.start + 1), element.name()};
}

/// Element indices sorted by source row, missing ones last, ties in order of appearance.
std::vector<std::size_t> reading_order(const std::vector<DnaIndex::Match>& matches) {
  std::vector<std::size_t> order(matches.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&matches](std::size_t a, std::size_t b) {
    const bool a_missing = matches[a].kind == Kind::kMissing;
    const bool b_missing = matches[b].kind == Kind::kMissing;
    return a_missing != b_missing ? b_missing : matches[a].row < matches[b].row;
  });
  return order;
}

void refuse_missing(const ElementTable& table, const std::vector<DnaIndex::Match>& matches,
                    const std::vector<ScreenSplit>& splits) {
  for (const ScreenSplit& split : splits) {
    for (const ScreenRow& row : split.rows) {
      const auto element = static_cast<std::size_t>(row.element);
      if (matches[element].kind != Kind::kMissing) continue;
      throw InputError(split.file, "enhancer_chr[" + std::to_string(row.file_row) + "]",
                       table.elements()[element].name() + " has no DNA row within " +
                           std::to_string(DnaIndex::kNearBp) +
                           " bp (--missing-dna zeros or drop goes on without)");
    }
  }
}

void drop_missing(const std::vector<DnaIndex::Match>& matches, ScreenSplit& split) {
  const auto missing = [&](const ScreenRow& row) {
    if (matches[static_cast<std::size_t>(row.element)].kind != Kind::kMissing) return false;
    ++split.removed_no_dna;
    split.removed_no_dna_positive += row.label == 1 ? 1 : 0;
    return true;
  };
  split.rows.erase(std::remove_if(split.rows.begin(), split.rows.end(), missing), split.rows.end());
  if (split.rows.empty()) {
    throw InputError(split.file, "enhancer_chr", "no row is left: none has a DNA row");
  }
}

/// Warns if no row of a split has DNA, which usually means other chromosome names.
void warn_of_no_dna(const ScreenSplit& split, const std::vector<DnaIndex::Match>& matches) {
  const bool none = std::all_of(split.rows.begin(), split.rows.end(), [&](const ScreenRow& row) {
    return matches[static_cast<std::size_t>(row.element)].kind == Kind::kMissing;
  });
  if (!none || split.rows.empty()) return;
  warn(split.file +
       ": enhancer_chr: no element of this file has a DNA row: other chromosome names " +
       "or another assembly?");
}

/// Whether every split has standard errors; warns if only some do.
bool have_errors(const std::vector<ScreenSplit>& splits) {
  const auto has = [](const ScreenSplit& split) { return split.has_se; };
  const auto without = std::find_if_not(splits.begin(), splits.end(), has);
  if (without == splits.end()) return true;
  if (std::any_of(splits.begin(), splits.end(), has)) {
    warn(without->file +
         ": se: is missing, so the standard errors of the other files are left out");
  }
  return false;
}

}  // namespace

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
  // All centres that are near enough; the first of them in dictionary order is taken.
  const auto begin = chromosome.place.lower_bound(centre - kNearBp);
  const auto end = chromosome.place.upper_bound(centre + kNearBp);
  if (begin == end) return {};
  const auto first = std::min_element(
      begin, end, [](const auto& a, const auto& b) { return a.second < b.second; });
  return {Kind::kNear, chromosome.entries[first->second].second, std::abs(first->first - centre)};
}

Placement place_elements(const ElementTable& table, const DnaIndex& index, MissingDna missing,
                         std::vector<ScreenSplit>& splits) {
  std::vector<DnaIndex::Match> matches;
  for (const ElementTable::Element& element : table.elements()) {
    matches.push_back(index.find(element.chrom, element.centre()));
  }
  const bool none = std::all_of(matches.begin(), matches.end(), [](const DnaIndex::Match& match) {
    return match.kind == Kind::kMissing;
  });
  if (none) {
    throw InputError(splits.front().file, "enhancer_chr",
                     "no element has a DNA row: other chromosome names or another assembly? (first "
                     "element " +
                         table.elements().front().name() + ")");
  }
  for (const ScreenSplit& split : splits) warn_of_no_dna(split, matches);
  if (missing == MissingDna::kError) refuse_missing(table, matches, splits);
  if (missing == MissingDna::kDrop) {
    for (ScreenSplit& split : splits) drop_missing(matches, split);
  }
  Placement out;
  std::vector<std::int32_t> row_of(matches.size(), -1);
  for (const std::size_t element : reading_order(matches)) {
    if (missing == MissingDna::kDrop && matches[element].kind == Kind::kMissing) continue;
    row_of[element] = static_cast<std::int32_t>(out.enhancers.size());
    out.enhancers.push_back(bed_line(table.elements()[element]));
    out.matches.push_back(matches[element]);
  }
  const bool labels = std::all_of(splits.begin(), splits.end(),
                                  [](const ScreenSplit& split) { return split.has_labels; });
  const bool errors = have_errors(splits);
  for (const ScreenSplit& split : splits) {
    for (const ScreenRow& row : split.rows) {
      out.pairs.push_back({.split = split.split,
                           .enhancer = row_of[static_cast<std::size_t>(row.element)],
                           .gene = row.gene,
                           .beta = row.beta,
                           .label = labels ? row.label : -1,
                           .se = errors ? row.se : 0.0F});
    }
  }
  return out;
}

}  // namespace cdt
