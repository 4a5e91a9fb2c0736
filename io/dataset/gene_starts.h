// Gene starts, read from a BED file (plain or gzip): gene annotations, or windows around gene
// starts such as CollapsedGeneBounds.hg38.TSS500bp.bed of the ENCODE CRISPR benchmark. A data set
// may hold such a file, its gene table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/genome/gene_start.h"

namespace cdt {

struct GeneStarts {
  std::vector<std::optional<GeneStart>> of_gene;  // one per gene of the data set
  std::int64_t missing = 0;                       // genes of the data set that the file lacks
  std::int64_t repeated = 0;  // lines that place such a gene elsewhere than its first line
  bool windows = false;       // the intervals are windows around starts

  /// One line saying what is missing or repeated; "" if nothing is.
  std::string remark(const std::filesystem::path& file) const;
};

/// Distance in bp from the centre of an enhancer to a gene's start, negative for a smaller
/// coordinate; nothing if the start is unknown or on another chromosome.
inline std::optional<std::int64_t> start_offset(const Enhancer& enhancer,
                                                const std::optional<GeneStart>& start) {
  if (!start || start->chrom != enhancer.chrom) return std::nullopt;
  return start->position - enhancer.centre();
}

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
/// As above for the genes and enhancers of a data set that is not complete yet; messages call it
/// `name`.
GeneStarts read_gene_starts(const std::filesystem::path& path,
                            const std::vector<std::string>& genes,
                            const std::vector<Enhancer>& enhancers, const std::string& name);

/// The gene starts that a program uses, and the file that they are from.
struct ChosenGeneStarts {
  std::filesystem::path file;
  GeneStarts starts;
};
/// Those of the file `given` or, if that is empty, of the data set's own gene table; nothing if
/// there is neither.
std::optional<ChosenGeneStarts> choose_gene_starts(const std::filesystem::path& given,
                                                   const Dataset& data);

/// Text of a gene table: one base for each known start, so that leaving out other genes never
/// changes how it is read.
std::string gene_table_text(const std::vector<std::optional<GeneStart>>& starts,
                            const std::vector<std::string>& genes);

}  // namespace cdt
