// Assigns every tested element its row of the new data set and its source row in the DNA file, by
// the rules of the reference loader.
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

/// Index of the DNA rows by coordinates. The reference keeps a dictionary (chromosome, centre) ->
/// row. A repeated coordinate therefore refers to its last row but keeps its first position in the
/// order of the dictionary, and that order decides between near matches.
class DnaIndex {
 public:
  enum class Kind : std::uint8_t { kExact, kNear, kMissing };
  struct Match {
    Kind kind = Kind::kMissing;
    std::int64_t row = -1;
    std::int64_t distance = 0;  // bp between the centres
  };
  /// Largest distance in bp of a near match. The first entry that near is taken, not the nearest.
  static constexpr std::int64_t kNearBp = 1000;

  /// Adds the coordinates of rows 0, 1, 2, ... in file order.
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

/// What to do with an element without a DNA row: give it an all-zero row (as the reference does),
/// drop its pairs, or throw InputError.
enum class MissingDna : std::uint8_t { kZeros, kDrop, kError };
inline constexpr std::array<const char*, 3> kMissingDnaNames{"zeros", "drop", "error"};

/// Placement of the elements: element i of each vector is row i of dna and line i of enhancers.bed.
/// Each distinct tested element has its own row, even if several share a source row. Rows are in
/// the order of the source file, so that it is read front to back; elements without DNA come last.
struct Placement {
  std::vector<Enhancer> enhancers;
  std::vector<DnaIndex::Match> matches;
  std::vector<Pair>
      pairs;  // train, val, test, each in file order; labels and se if every split has them
};

/// Places the elements. Removes from `splits` the rows that kDrop drops. Throws InputError if
/// nothing matches at all, since the files then name their chromosomes differently.
Placement place_elements(const ElementTable& table, const DnaIndex& index, MissingDna missing,
                         std::vector<ScreenSplit>& splits);

}  // namespace cdt
