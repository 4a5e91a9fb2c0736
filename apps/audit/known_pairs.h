// Elements that are known to act on a gene, from a table of another source, to compare the
// coordinates of a data set with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/genome/locus.h"

namespace cdt {

struct KnownPair {
  Locus element;
  std::string gene;
};

struct KnownPairs {
  std::string file;  // named in sentences
  std::vector<KnownPair> pairs;
};

/// Reads a TSV with the column gene and either chrom, start and end (as in BED) or enhancer, which
/// is a place: chr1:1,001-2,000 as people write it, or chr1-1000-2000 as cdt-import names elements
/// (the first 1-based, the second 0-based). Other columns are ignored. Throws InputError naming
/// line and column.
KnownPairs read_known_pairs(const std::filesystem::path& path);

}  // namespace cdt
