// The tested pairs of an import of arrays: enhancers in BED, one line a row of DNA, and a table of
// pairs by name.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "apps/import/matched_genes.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Rows of the table by what became of them.
struct SplitCount {
  std::int64_t read = 0, kept = 0;
  std::int64_t in_no_list = 0;                           // the enhancer or the gene is unknown
  std::int64_t in_one_list = 0;                          // the gene lacks one of its embeddings
  std::int64_t positive_kept = 0, positive_removed = 0;  // labels
};

/// Element i of `enhancers` and `dna_rows` is row i of the data set; in the order of the file.
struct Screen {
  std::vector<Enhancer> enhancers;
  std::vector<std::int64_t> dna_rows;
  std::vector<Pair> pairs;
  std::array<SplitCount, kSplits.size()> counts;
  std::int64_t listed = 0;  // enhancers in the file
  bool has_labels = false;

  const SplitCount& of(Split split) const { return counts[static_cast<std::size_t>(split)]; }
};

/// InputError names file and line: a list that has not a line for each of `dna_rows`, an unknown
/// name (unless options.drop_unknown), no pair left.
Screen read_screen(const ArraysOptions& options, const MatchedGenes& genes, std::int64_t dna_rows);

}  // namespace cdt
