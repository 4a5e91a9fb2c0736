// The data set directory (docs/formats.md): dataset.json, float32 blobs, gene lists, enhancers.bed
// and pairs.tsv. Opening one checks every file; the DNA blob is read row by row.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/format/file.h"
#include "io/genome/locus.h"

namespace cdt {

enum class Split : std::uint8_t { kTrain, kVal, kTest };
const char* split_name(Split split);

using Enhancer = Locus;

struct Pair {
  Split split = Split::kTrain;
  std::int32_t enhancer = 0;  // row of dna and enhancers.bed
  std::int32_t gene = 0;      // row of rna and protein
  float beta = 0.0F;
  int label = -1;  // 0, 1 or -1: no label column
};

class Dataset {
 public:
  /// Empty: for plans of memory, which need sizes only.
  Dataset() = default;
  /// Reads and checks the directory `from`; throws InputError naming file and field. The DNA blob's
  /// values are checked when they are read (read_dna), everything else here.
  explicit Dataset(std::filesystem::path from);

  std::int64_t enhancers_count() const { return static_cast<std::int64_t>(enhancers.size()); }
  std::int64_t genes_count() const { return static_cast<std::int64_t>(genes.size()); }
  std::vector<Pair> pairs_of(Split split) const;
  /// Index of an enhancer or gene by name, or -1.
  std::int32_t find_enhancer(const std::string& name) const;
  std::int32_t find_gene(const std::string& symbol) const;
  /// Gene i becomes what gene rows[i] is, with its RNA, protein and pairs; the genes that `rows`
  /// does not name go, and their pairs with them. Returns the number of these pairs.
  std::int64_t choose_genes(const std::vector<std::int32_t>& rows);
  /// Copies row `enhancer` (bins x dna_dim) to `out` as float32; throws InputError on NaN or
  /// infinity, naming bin and feature, and Error if the file was cut short since it was opened.
  /// From any thread.
  void read_dna(std::int32_t enhancer, float* out) const;

  std::filesystem::path directory;
  std::int64_t bins = 0, dna_dim = 0, rna_dim = 0, protein_dim = 0;
  int bin_bp = 128;
  std::string assembly;
  std::vector<float> rna;      // (G, rna_dim)
  std::vector<float> protein;  // (G, protein_dim)
  std::vector<std::string> genes;
  std::vector<Enhancer> enhancers;
  std::vector<Pair> pairs;

 private:
  std::optional<InputFile> dna_;
  bool dna_is_bfloat16_ = false;
  std::unordered_map<std::string, std::int32_t> enhancer_index_, gene_index_;
};

}  // namespace cdt
