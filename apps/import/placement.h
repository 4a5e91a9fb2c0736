// Gives every tested element its row of the new data set, and its source row in the DNA file.
#pragma once

#include <vector>

#include "apps/import/dna_index.h"
#include "apps/import/screen.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// What becomes of an element without a DNA row: an all-zero row of its own (as the reference
/// does), its pairs left out, or an InputError.
enum class MissingDna : std::uint8_t { kZeros, kDrop, kError };

/// Element i of all three is row i of dna and line i of enhancers.bed. Each distinct tested element
/// has a row of its own, also where several share a source row; rows are in the order of the source
/// file, so that it is read front to back, and elements without DNA come last.
struct Placement {
  std::vector<Enhancer> enhancers;
  std::vector<DnaIndex::Match> matches;
  std::vector<Pair> pairs;  // train, val, test, each in file order; labels if every split has them
};

/// Removes from `splits` the rows that kDrop leaves out. InputError if nothing matches at all: the
/// files then name their chromosomes differently.
Placement place_elements(const ElementTable& table, const DnaIndex& index, MissingDna missing,
                         std::vector<ScreenSplit>& splits);

}  // namespace cdt
