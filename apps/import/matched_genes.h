// The tables of gene embeddings of an import of arrays, matched by symbol.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "apps/import/arrays.h"
#include "apps/import/gene_tables.h"

namespace cdt {

struct MatchedGenes : GeneTables {  // the genes of both lists, in the order of RNA's
  std::int64_t rna_listed = 0, protein_listed = 0;
  std::set<std::string> in_one_list;
};

/// InputError names the file: a table that is not (G, dim) or over 1 GiB, a list that has not a
/// line for each row or names a gene twice, no gene in both lists, the same values in both tables.
MatchedGenes read_matched_genes(const ArraysOptions& options, FloatRows& rna, FloatRows& protein);

}  // namespace cdt
