// The published files except for the DNA: two tables of gene embeddings, the renumbering of the
// screen's genes, and the tested enhancer-gene pairs (gasperini_train.h5 and so on).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "apps/import/gene_tables.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Reads "embeddings" and "gene_names" of both files. Throws InputError if the lists differ, a
/// symbol is empty, repeated or not a single word, or a value is NaN or infinite.
GeneTables read_gene_tables(const std::filesystem::path& rna, const std::filesystem::path& protein);

/// Member old_to_new (n, 2) of the npz file: gene number in the screen files, then row of the
/// embeddings.
struct GeneMap {
  std::unordered_map<std::int64_t, std::int32_t> new_of_old;
  std::int64_t entries = 0;  // rows of old_to_new; the last one of a repeated key counts
};

/// Reads the map. Throws InputError if the member is missing or a new index is not a row of the
/// embeddings.
GeneMap read_gene_map(const std::filesystem::path& path, std::int64_t genes);

/// Distinct tested elements, numbered in order of appearance.
class ElementTable {
 public:
  struct Element {
    std::string chrom;
    std::int64_t start = 0, end = 0;  // as in the file
    std::int64_t centre() const { return (start + end) / 2; }
    /// "chr1-1000-1500"; without a colon, so that ENHANCER:GENE stays unambiguous.
    std::string name() const;
  };

  std::int32_t number(const std::string& chrom, std::int64_t start, std::int64_t end);
  const std::vector<Element>& elements() const { return elements_; }

 private:
  std::map<std::tuple<std::string, std::int64_t, std::int64_t>, std::int32_t> numbers_;
  std::vector<Element> elements_;
};

struct ScreenRow {
  std::int64_t file_row = 0;
  std::int32_t element = 0;  // index in the ElementTable
  std::int32_t gene = 0;     // row of the embeddings
  float beta = 0.0F;
  int label = -1;
  float se = 0.0F;
};

/// Rows of one file whose gene is mapped, in file order, and counts of the rows left out.
struct ScreenSplit {
  Split split = Split::kTrain;
  std::string file;
  std::vector<ScreenRow> rows;
  std::int64_t rows_read = 0;
  std::int64_t removed_no_gene = 0, removed_no_gene_positive = 0;
  std::int64_t removed_no_dna = 0, removed_no_dna_positive = 0;
  std::int64_t nan_beta = 0;  // among the rows kept; read as 0
  bool has_beta = false, has_labels = false, has_se = false;
};

/// Reads a screen file. Data sets used: esm2_idx, enhancer_chr, enhancer_start, enhancer_end; beta
/// (zeros if missing), labels and se (none if missing). enformer_idx and gene_ids are ignored, as
/// in the reference.
ScreenSplit read_screen(const std::filesystem::path& path, Split split, const GeneMap& genes,
                        ElementTable& elements);

}  // namespace cdt
