// The tested pairs of an import of arrays: enhancers in BED, one line per row of DNA, and a table
// of pairs by name.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "apps/import/matched_genes.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Counts of table rows by what was done with them.
struct SplitCount {
  std::int64_t read = 0, kept = 0;
  std::int64_t in_no_list = 0;   // dropped: unknown enhancer, gene or sample
  std::int64_t in_one_list = 0;  // dropped: the gene lacks one of its embeddings
  std::int64_t positive_kept = 0, positive_removed = 0;  // labels
};

/// The screen: element i of `enhancers` and `dna_rows` is row i of the data set, in file order.
struct Screen {
  std::vector<Enhancer> enhancers;
  std::vector<std::int64_t> dna_rows;
  std::vector<Pair> pairs;
  std::array<SplitCount, kSplits.size()> counts;
  std::int64_t listed = 0;  // enhancers in the file
  bool has_labels = false;

  const SplitCount& of(Split split) const { return counts[static_cast<std::size_t>(split)]; }
};

/// Reads the screen. Throws InputError naming file and line for a list that does not have one line
/// for each of `dna_rows`, an unknown name (unless options.drop_unknown), or if no pair is left.
Screen read_screen(const ArraysOptions& options, const MatchedGenes& genes, std::int64_t dna_rows);

}  // namespace cdt
