// Where genes start, from a BED file (plain or gzip): gene annotations, or windows around gene
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
  int strand = 0;             // 1 or -1; 0: unknown
};

struct GeneStarts {
  std::vector<std::optional<GeneStart>> of_gene;  // one per gene of the data set
  std::int64_t missing = 0;                       // genes of the data set that the file lacks
  std::int64_t repeated = 0;  // lines that give such a gene another place than its first line
  bool windows = false;       // the intervals are windows around starts

  /// One line on what is missing or repeated, "" if nothing is.
  std::string remark(const std::filesystem::path& file) const;
};

/// The name column (4) holds gene symbols, compared as they are; column 6 the strand: '+', '-', or
/// '.' or no such column where it is not known. An interval is a gene, which starts at its first
/// base, its last one with '-', its middle without a strand. Where all intervals of the file are of
/// one length, as genes never are, they are windows around starts and the middle counts. Of a gene
/// in several lines the first line counts. Lines of other genes are checked and left out.
/// InputError names "line N" and the column: fewer than 4 columns, a coordinate, an empty name,
/// another strand; or "names": no gene of the data set is there; or "chrom": none of them lies on
/// a chromosome that an enhancer is on.
GeneStarts read_gene_starts(const std::filesystem::path& path, const Dataset& data);

}  // namespace cdt
