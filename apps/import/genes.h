// The genes of the published files: the two embedding tables and the renumbering of the screen's
// genes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
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

/// Reads "embeddings" and "gene_names" of both files. InputError where the lists differ, a symbol
/// is empty, repeated or not one word, or a value is NaN or infinite.
GeneTables read_gene_tables(const std::filesystem::path& rna, const std::filesystem::path& protein);

/// Member old_to_new (n, 2) of the npz file: gene number in the screen files, row of the
/// embeddings.
struct GeneMap {
  std::unordered_map<std::int64_t, std::int32_t> new_of_old;
  std::int64_t entries = 0;  // rows of old_to_new; the last of a repeated key counts
};

/// InputError if the member is missing or a new index is not a row of the embeddings.
GeneMap read_gene_map(const std::filesystem::path& path, std::int64_t genes);

/// InputError unless `text` can stand in a data set's text files: not empty, no spaces or control
/// characters, at most 200 bytes.
void require_word(const std::string& file, const std::string& field, const std::string& text);

}  // namespace cdt
