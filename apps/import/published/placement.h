// Gives every tested element its row of the new data set and its source row in the DNA file, by the
// reference loader's rules.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "apps/import/published/published.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// The reference keeps a dictionary (chromosome, centre) -> row. A repeated coordinate therefore
/// names its last row but keeps the place of its first in the dictionary's order, and that order
/// decides among near matches.
class DnaIndex {
 public:
  enum class Kind : std::uint8_t { kExact, kNear, kMissing };
  struct Match {
    Kind kind = Kind::kMissing;
    std::int64_t row = -1;
    std::int64_t distance = 0;  // bp between the centres
  };
  /// A near match is at most this many bp away. It is the first such entry, not the nearest.
  static constexpr std::int64_t kNearBp = 1000;

  /// Coordinates of rows 0, 1, 2 ... in file order.
  void add(const std::string& chrom, std::int64_t centre);
  Match find(const std::string& chrom, std::int64_t centre) const;

  std::int64_t rows() const { return rows_; }
  std::int64_t distinct() const { return distinct_; }

 private:
  struct Chromosome {
    std::vector<std::pair<std::int64_t, std::int64_t>> entries;  // (centre, row), dictionary order
    std::map<std::int64_t, std::size_t> place;                   // centre -> index of entries
  };
  std::unordered_map<std::string, Chromosome> chromosomes_;
  std::int64_t rows_ = 0, distinct_ = 0;
};

/// What becomes of an element without a DNA row: an all-zero row of its own (as the reference
/// does), its pairs left out, or an InputError.
enum class MissingDna : std::uint8_t { kZeros, kDrop, kError };
inline constexpr std::array<const char*, 3> kMissingDnaNames{"zeros", "drop", "error"};

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
