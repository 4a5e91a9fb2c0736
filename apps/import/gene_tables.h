// The embeddings of genes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cdt {

/// RNA and protein embeddings of the same genes in the same order.
struct GeneTables {
  std::vector<std::string> genes;  // G symbols
  std::vector<float> rna;          // (G, rna_dim)
  std::vector<float> protein;      // (G, protein_dim)
  std::int64_t rna_dim = 0, protein_dim = 0;
  std::int64_t genes_count() const { return static_cast<std::int64_t>(genes.size()); }
};

}  // namespace cdt
