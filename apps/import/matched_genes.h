// Tables of gene embeddings for an import of arrays, matched by symbol.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "apps/import/arrays.h"
#include "apps/import/gene_tables.h"

namespace cdt {

struct MatchedGenes : GeneTables {      // the genes in both lists, in RNA's order
  std::vector<std::int64_t> listed_at;  // row of each gene in RNA's list, ascending
  std::int64_t rna_listed = 0, protein_listed = 0;
  std::set<std::string> in_one_list;
  std::vector<std::string> samples;  // of the RNA, which is then (S, G, rna_dim)
};

/// Reads and matches the tables. Throws InputError naming the file for a table that is not (G,
/// dim), or of RNA of samples (S, G, dim), or over 1 GiB, a list that does not have one line per
/// gene or sample or repeats a name, no gene in both lists, or equal values in both tables.
MatchedGenes read_matched_genes(const ArraysOptions& options, FloatRows& rna, FloatRows& protein);

}  // namespace cdt
