// The data set directory (docs/data-sets.md): dataset.json, float32 blobs, gene lists,
// enhancers.bed, pairs.tsv and optionally a gene table and DNA windows of the genes. Opening one
// checks every file; DNA is read row by row.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/dataset/sampled_rna.h"
#include "io/dataset/window_blob.h"
#include "io/genome/gene_start.h"
#include "io/genome/locus.h"

namespace cdt {

enum class Split : std::uint8_t { kTrain, kVal, kTest };
inline constexpr std::array<Split, 3> kSplits{Split::kTrain, Split::kVal, Split::kTest};
const char* split_name(Split split);

using Enhancer = Locus;

struct Pair {
  Split split = Split::kTrain;
  std::int32_t enhancer = 0;  // row of dna and enhancers.bed
  std::int32_t gene = 0;      // row of rna and protein
  float beta = 0.0F;
  int label = -1;           // 0, 1, or -1 without a label column
  std::int32_t fold = 0;    // from 1; 0 without a fold column (folds.h)
  float se = 0.0F;          // standard error of beta; 0 without an se column
  std::int32_t sample = 0;  // of the RNA; 0 without samples
};

/// How a program uses the pairs of a data set, where it is not as the column `split` says
/// (use_pairs() in folds.h).
struct PairUse {
  std::int64_t fold = 0;   // 0: by `split`; k: fold k is test, the next fold val, the others train
  double train_share = 1;  // share of the training loci that are used
  std::uint64_t seed = 0;  // of the loci that are used
};

/// Collects one member of every pair, in the order of the pairs.
template <class T>
std::vector<T> column(const std::vector<Pair>& pairs, T Pair::*member) {
  std::vector<T> out(pairs.size());
  std::transform(pairs.begin(), pairs.end(), out.begin(),
                 [member](const Pair& pair) { return pair.*member; });
  return out;
}

/// Maps each name of a list to its index; names are unique.
using NameIndex = std::unordered_map<std::string, std::int32_t>;
NameIndex index_names(const std::vector<std::string>& names);

/// Whether a data set can be opened without its DNA windows, by those who do not read them.
enum class Dna : std::uint8_t { kNeeded, kMayBeMissing };

class Dataset {
 public:
  /// An empty data set, for memory plans, which need only sizes.
  Dataset() = default;
  /// Reads and checks the directory `from`; throws InputError naming file and field. The values of
  /// the DNA blob are checked when they are read (read_dna), everything else here.
  explicit Dataset(std::filesystem::path from, Dna dna = Dna::kNeeded);

  std::int64_t enhancers_count() const { return static_cast<std::int64_t>(enhancers.size()); }
  std::int64_t genes_count() const { return static_cast<std::int64_t>(genes.size()); }
  std::vector<Pair> pairs_of(Split split) const;
  /// Index of an enhancer or gene by name, or -1.
  std::int32_t find_enhancer(const std::string& name) const;
  std::int32_t find_gene(const std::string& symbol) const;
  /// Keeps and reorders genes: the new gene i is the old gene rows[i], with its RNA, protein,
  /// start, window and pairs. Genes that `rows` does not name are dropped with their pairs; returns
  /// the number of those pairs.
  std::int64_t choose_genes(const std::vector<std::int32_t>& rows);
  /// From now on windows of DNA that are read are also copied into a cache, and read from there if
  /// they are there (io/dataset/window_cache.h). Throws InputError if the folder cannot be used.
  void cache_dna(const CachePlace& place);
  /// Copies row `enhancer` (bins x dna_dim) to `out` as float32. Throws InputError on NaN or
  /// infinity, naming bin and feature, and Error if the file was cut short since it was opened. May
  /// be called from any thread.
  void read_dna(std::int32_t enhancer, float* out) const;
  /// Whether the DNA windows are there; reading them throws InputError otherwise.
  bool has_dna() const { return dna_ && (dna_gene_ || !has_dna_gene_); }
  /// Whether every gene has a DNA window around its start as well.
  bool has_dna_gene() const { return has_dna_gene_; }
  /// Copies the window of a gene (bins x dna_dim), which must be there, like read_dna().
  void read_dna_gene(std::int32_t gene, float* out) const;
  std::int64_t samples_count() const { return static_cast<std::int64_t>(samples.size()); }
  /// Copies the RNA (G, rna_dim) of one sample to `out`, with the checks of read_dna(). Only for a
  /// data set with samples, whose `rna` is empty.
  void read_rna(std::int32_t sample, float* out) const;
  /// The RNA (G, rna_dim) of the pairs of a sample; without samples that of all pairs.
  std::vector<float> rna_of(std::int32_t sample) const;

  std::filesystem::path directory;
  std::int64_t bins = 0, dna_dim = 0, rna_dim = 0, protein_dim = 0;
  int bin_bp = 128;
  std::string assembly;
  /// (G, rna_dim). With samples empty, as they are read one at a time; or (S, G, rna_dim) in a data
  /// set that is being made.
  std::vector<float> rna;
  std::vector<float> protein;  // (G, protein_dim)
  std::vector<std::string> genes;
  std::vector<std::string> samples;  // of the RNA; empty: one RNA for all pairs
  std::vector<Enhancer> enhancers;
  std::vector<Pair> pairs;
  std::int64_t folds = 0;  // number of folds, or 0 without a fold column
  /// Starts of the genes, unknown for some; empty without a gene table.
  std::vector<std::optional<GeneStart>> gene_starts;
  std::filesystem::path gene_table;  // their file (gene_starts.h); empty if there is none
  PairUse use;                       // what use_pairs() did to `pairs`

 private:
  std::optional<WindowBlob> dna_, dna_gene_;
  std::filesystem::path dna_file_, dna_gene_file_;
  bool has_dna_gene_ = false;
  std::optional<SampledRna> sampled_rna_;
  std::vector<std::int32_t> gene_rows_;  // rows of the genes in the files
  NameIndex enhancer_index_, gene_index_;
};

inline const Enhancer& enhancer_of(const Dataset& data, std::int32_t enhancer) {
  return data.enhancers[static_cast<std::size_t>(enhancer)];
}
inline const Enhancer& enhancer_of(const Dataset& data, const Pair& pair) {
  return enhancer_of(data, pair.enhancer);
}
inline const std::string& gene_of(const Dataset& data, const Pair& pair) {
  return data.genes[static_cast<std::size_t>(pair.gene)];
}
/// Only for a data set with samples.
inline const std::string& sample_of(const Dataset& data, const Pair& pair) {
  return data.samples[static_cast<std::size_t>(pair.sample)];
}
/// "ENHANCER:GENE" or, with samples, "ENHANCER:GENE:SAMPLE": the form that --pair takes.
inline std::string pair_name(const Dataset& data, const Pair& pair) {
  return enhancer_of(data, pair).name + ":" + gene_of(data, pair) +
         (data.samples.empty() ? "" : ":" + sample_of(data, pair));
}
/// The tab-separated columns that name a pair in tables: enhancer, gene and, with samples, sample.
inline std::string pair_header(const Dataset& data) {
  return data.samples.empty() ? "enhancer\tgene" : "enhancer\tgene\tsample";
}
inline std::string pair_cells(const Dataset& data, const Pair& pair) {
  return enhancer_of(data, pair).name + '\t' + gene_of(data, pair) +
         (data.samples.empty() ? "" : '\t' + sample_of(data, pair));
}

}  // namespace cdt
