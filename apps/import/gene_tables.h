// What is known of genes: their embeddings and, with a gene table, where they start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// RNA and protein embeddings, and starts, of the same genes in the same order.
struct GeneTables {
  std::vector<std::string> genes;  // G symbols
  std::vector<float> rna;          // (G, rna_dim)
  std::vector<float> protein;      // (G, protein_dim)
  std::int64_t rna_dim = 0, protein_dim = 0;
  std::vector<std::optional<GeneStart>> starts;  // one per gene, or empty
  std::int64_t genes_count() const { return static_cast<std::int64_t>(genes.size()); }
  /// Reads the file of --gene-table, if one is given, by the rules of read_gene_starts(). Notes on
  /// stderr how many genes it lacks.
  void read_starts(const std::filesystem::path& file, const std::vector<Enhancer>& enhancers);
};

}  // namespace cdt
