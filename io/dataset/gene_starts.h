// Gene starts, read from a BED file (plain or gzip): gene annotations, or windows around gene
// starts such as CollapsedGeneBounds.hg38.TSS500bp.bed of the ENCODE CRISPR benchmark.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

struct GeneStart {
  std::string chrom;
  std::int64_t position = 0;  // of the first transcribed base, 0-based
  int strand = 0;             // 1 or -1; 0 if unknown
};

struct GeneStarts {
  std::vector<std::optional<GeneStart>> of_gene;  // one per gene of the data set
  std::int64_t missing = 0;                       // genes of the data set that the file lacks
  std::int64_t repeated = 0;  // lines that place such a gene elsewhere than its first line
  bool windows = false;       // the intervals are windows around starts

  /// One line saying what is missing or repeated; "" if nothing is.
  std::string remark(const std::filesystem::path& file) const;
};

/// Reads gene starts. Column 4 (name) holds gene symbols, matched exactly; column 6 holds the
/// strand: '+', '-', or '.' (or no such column) where it is unknown. An interval is a gene: it
/// starts at its first base, or on '-' at its last base, or in the middle where the strand is
/// unknown. If all intervals of the file have the same length, as genes never do, they are windows
/// around starts, and the middle is used. If a gene has several lines, the first is used. Lines of
/// other genes are checked and ignored. Throws InputError naming "line N" and the column for fewer
/// than 4 columns, a bad coordinate, an empty name or another strand; naming "names" if no gene of
/// the data set is in the file; naming "chrom" if none of them is on a chromosome that has an
/// enhancer.
GeneStarts read_gene_starts(const std::filesystem::path& path, const Dataset& data);

}  // namespace cdt
