#include "io/dataset/dataset.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <set>
#include <utility>

#include "engine/error.h"
#include "engine/poll.h"
#include "io/dataset/folds.h"
#include "io/dataset/gene_starts.h"
#include "io/dataset/lists.h"
#include "io/dataset/manifest.h"
#include "io/format/file.h"
#include "io/format/floats.h"
#include "io/format/gzip.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr std::array<const char*, 3> kSplitNames{"train", "val", "test"};
constexpr std::size_t kPiece = std::size_t{1} << 24U;  // bytes read between two polls

std::int32_t find(const NameIndex& index, const std::string& name) {
  const auto at = index.find(name);
  return at == index.end() ? -1 : at->second;
}

/// Index in `index` of the name in this column of the row.
std::int32_t place_of(const PairsFile& file, PairsFile::Column column, const NameIndex& index,
                      const char* list) {
  const std::int32_t row = file.find(column, index);
  if (row < 0) file.fail_unknown(column, list);
  return row;
}

std::vector<Pair> read_pairs(const std::filesystem::path& path, const NameIndex& enhancers,
                             const NameIndex& genes, const NameIndex& samples) {
  PairsFile file(path);
  if (!samples.empty()) file.require_samples();
  std::vector<Pair> pairs;
  while (file.next()) {
    Pair pair;
    pair.split = file.split();
    pair.enhancer = place_of(file, PairsFile::kEnhancer, enhancers, "the enhancer list");
    pair.gene = place_of(file, PairsFile::kGene, genes, "the gene list");
    pair.beta = file.beta();
    pair.label = file.label();
    pair.fold = file.fold();
    pair.se = file.se();
    if (!samples.empty()) {
      pair.sample = place_of(file, PairsFile::kSample, samples, "the sample list");
    }
    pairs.push_back(pair);
  }
  if (pairs.empty()) throw InputError(path.string(), "line 2", "there is not one pair");
  return pairs;
}

/// Number of folds; throws InputError if they are too few or one between them has no pair.
std::int64_t count_folds(const std::filesystem::path& path, const std::vector<Pair>& pairs) {
  std::set<std::int32_t> folds;
  for (const Pair& pair : pairs) folds.insert(pair.fold);
  if (*folds.begin() == 0) return 0;
  const auto count = static_cast<std::int64_t>(folds.size());
  if (count < kLeastFolds) {
    throw InputError(
        path.string(), "fold",
        expected_got("too few folds to test, to validate and to train",
                     "at least " + std::to_string(kLeastFolds), std::to_string(count)));
  }
  std::int32_t next = 1;
  for (const std::int32_t fold : folds) {
    if (fold != next++) {
      throw InputError(path.string(), "fold", "no pair is in fold " + std::to_string(next - 1));
    }
  }
  return count;
}

/// Exactly `count` genes.
std::vector<std::string> read_genes(const std::filesystem::path& path, std::int64_t count) {
  std::vector<std::string> genes = read_gene_list(path);
  if (static_cast<std::int64_t>(genes.size()) != count) {
    throw InputError(path.string(), "lines",
                     expected_got("gene count differs from the shape in dataset.json",
                                  std::to_string(count), std::to_string(genes.size())));
  }
  return genes;
}

/// Exactly `count` names of samples.
std::vector<std::string> read_samples(const std::filesystem::path& path, std::int64_t count) {
  std::vector<std::string> samples = read_sample_list(path);
  if (std::ssize(samples) != count) {
    throw InputError(path.string(), "lines",
                     expected_got("sample count differs from rna.shape in dataset.json",
                                  std::to_string(count), std::to_string(samples.size())));
  }
  return samples;
}

void check_same_genes(const std::filesystem::path& rna_path, const std::vector<std::string>& rna,
                      const std::filesystem::path& protein_path,
                      const std::vector<std::string>& protein) {
  for (std::size_t i = 0; i < rna.size(); ++i) {
    if (rna[i] == protein[i]) continue;
    throw InputError(
        protein_path.string(), "line " + std::to_string(i + 1),
        expected_got("gene differs from " + rna_path.filename().string(), rna[i], protein[i]));
  }
}

std::vector<float> read_plain_floats(const std::filesystem::path& path, std::size_t rows,
                                     std::int64_t columns) {
  const InputFile file(path);
  check_blob_size(file, {static_cast<std::int64_t>(rows), columns, sizeof(float)});
  std::vector<float> out(file.size() / sizeof(float));
  for (std::size_t at = 0; at < file.size(); at += kPiece) {
    poll();
    file.read(at, reinterpret_cast<char*>(out.data()) + at, std::min(kPiece, file.size() - at));
  }
  return out;
}

/// Reads a (genes, columns) float32 blob, or its ".gz". Throws InputError on a wrong size and on
/// NaN or infinity, naming gene and feature.
std::vector<float> read_matrix(const std::filesystem::path& path,
                               const std::vector<std::string>& genes, std::int64_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<float> values = path.extension() == ".gz"
                                  ? read_gzip_floats(path, genes.size() * width)
                                  : read_plain_floats(path, genes.size(), columns);
  const std::int64_t bad =
      first_non_finite(values.data(), static_cast<std::int64_t>(values.size()));
  if (bad >= 0) {
    const auto at = static_cast<std::size_t>(bad);
    throw InputError(path.string(),
                     "gene " + genes[at / width] + " (row " + std::to_string(at / width) +
                         "), feature " + std::to_string(at % width),
                     expected_got("bad value", "a finite number", format_number(values[at])));
  }
  return values;
}

/// Throws InputError if the windows of a data set are missing but read after all.
void expect_open(const std::optional<WindowBlob>& windows, const std::filesystem::path& file) {
  if (!windows) throw InputError(file.string(), "open", "is missing, and is needed here");
}

/// Rows of a (G, columns) matrix in the order of `rows`.
std::vector<float> chosen_rows(const std::vector<float>& matrix, std::int64_t columns,
                               const std::vector<std::int32_t>& rows) {
  std::vector<float> out;
  out.reserve(rows.size() * static_cast<std::size_t>(columns));
  for (const std::int32_t row : rows) {
    const auto begin = matrix.begin() + row * columns;
    out.insert(out.end(), begin, begin + columns);
  }
  return out;
}

}  // namespace

NameIndex index_names(const std::vector<std::string>& names) {
  NameIndex index;
  index.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) index[names[i]] = static_cast<std::int32_t>(i);
  return index;
}

const char* split_name(Split split) { return kSplitNames[static_cast<std::size_t>(split)]; }

Dataset::Dataset(std::filesystem::path from, Dna dna) : directory(std::move(from)) {
  const Manifest m = read_manifest(directory / kManifestName);
  bins = m.bins;
  dna_dim = m.dna_dim;
  rna_dim = m.rna_dim;
  protein_dim = m.protein_dim;
  bin_bp = m.bin_bp;
  assembly = m.assembly;

  genes = read_genes(directory / m.rna_genes, m.genes);
  check_same_genes(directory / m.rna_genes, genes, directory / m.protein_genes,
                   read_genes(directory / m.protein_genes, m.genes));
  enhancers = read_enhancers(directory / m.enhancers_file);
  if (enhancers_count() != m.enhancers) {
    throw InputError((directory / m.enhancers_file).string(), "lines",
                     expected_got("enhancer count differs from dna.shape in dataset.json",
                                  std::to_string(m.enhancers), std::to_string(enhancers_count())));
  }
  has_dna_gene_ = m.has_dna_gene;
  dna_file_ = directory / m.dna_file;
  dna_gene_file_ = directory / m.dna_gene_file;
  if (dna == Dna::kNeeded || is_there(dna_file_)) {
    dna_.emplace(dna_file_, WindowBlob::Shape{m.enhancers, m.bins, m.dna_dim, m.dna_is_bfloat16});
  }
  if (has_dna_gene_ && (dna == Dna::kNeeded || is_there(dna_gene_file_))) {
    dna_gene_.emplace(dna_gene_file_,
                      WindowBlob::Shape{m.genes, m.bins, m.dna_dim, m.dna_gene_is_bfloat16});
  }
  if (m.samples > 0) {
    samples = read_samples(directory / m.rna_samples, m.samples);
    sampled_rna_.emplace(directory / m.rna_file, m.samples, m.genes, rna_dim);
  } else {
    rna = read_matrix(directory / m.rna_file, genes, rna_dim);
  }
  protein = read_matrix(directory / m.protein_file, genes, protein_dim);

  gene_index_ = index_names(genes);
  gene_rows_.resize(genes.size());
  std::iota(gene_rows_.begin(), gene_rows_.end(), 0);
  std::vector<std::string> names;
  names.reserve(enhancers.size());
  for (const Enhancer& e : enhancers) names.push_back(e.name);
  enhancer_index_ = index_names(names);
  pairs = read_pairs(directory / m.pairs_file, enhancer_index_, gene_index_, index_names(samples));
  folds = count_folds(directory / m.pairs_file, pairs);
  if (m.gene_starts_file.empty()) return;
  gene_table = directory / m.gene_starts_file;
  gene_starts = read_gene_starts(gene_table, *this).of_gene;
}

std::vector<Pair> Dataset::pairs_of(Split split) const {
  std::vector<Pair> out;
  std::copy_if(pairs.begin(), pairs.end(), std::back_inserter(out),
               [split](const Pair& pair) { return pair.split == split; });
  return out;
}

std::int32_t Dataset::find_enhancer(const std::string& name) const {
  return find(enhancer_index_, name);
}

std::int32_t Dataset::find_gene(const std::string& symbol) const {
  return find(gene_index_, symbol);
}

std::int64_t Dataset::choose_genes(const std::vector<std::int32_t>& rows) {
  std::vector<std::int32_t> place(genes.size(), -1);
  std::vector<std::string> chosen;
  std::vector<std::optional<GeneStart>> starts;
  std::vector<std::int32_t> in_files;
  for (const std::int32_t row : rows) {
    CDT_CHECK(row >= 0 && row < genes_count(), "no such gene row");
    const auto at = static_cast<std::size_t>(row);
    place[at] = static_cast<std::int32_t>(chosen.size());
    chosen.push_back(genes[at]);
    if (!gene_rows_.empty()) in_files.push_back(gene_rows_[at]);
    if (!gene_starts.empty()) starts.push_back(gene_starts[at]);
  }
  if (samples.empty()) rna = chosen_rows(rna, rna_dim, rows);
  protein = chosen_rows(protein, protein_dim, rows);
  genes = std::move(chosen);
  gene_starts = std::move(starts);
  gene_rows_ = std::move(in_files);
  gene_index_ = index_names(genes);
  for (Pair& pair : pairs) pair.gene = place[static_cast<std::size_t>(pair.gene)];
  return static_cast<std::int64_t>(
      std::erase_if(pairs, [](const Pair& pair) { return pair.gene < 0; }));
}

void Dataset::cache_dna(const CachePlace& place) {
  dna_->cache_in(place);
  if (dna_gene_) dna_gene_->cache_in(place);
}

void Dataset::read_dna(std::int32_t enhancer, float* out) const {
  CDT_CHECK(enhancer >= 0 && enhancer < enhancers_count(), "no such enhancer row");
  expect_open(dna_, dna_file_);
  dna_->read(enhancer, "enhancer " + enhancer_of(*this, enhancer).name, out);
}

void Dataset::read_dna_gene(std::int32_t gene, float* out) const {
  CDT_CHECK(has_dna_gene() && gene >= 0 && gene < genes_count(), "no such gene row");
  const auto at = static_cast<std::size_t>(gene);
  expect_open(dna_gene_, dna_gene_file_);
  dna_gene_->read(gene_rows_[at], "gene " + genes[at], out);
}

void Dataset::read_rna(std::int32_t sample, float* out) const {
  CDT_CHECK(sampled_rna_ && sample >= 0 && sample < samples_count(), "no such sample");
  sampled_rna_->read(sample, samples[static_cast<std::size_t>(sample)], gene_rows_, genes, out);
}

std::vector<float> Dataset::rna_of(std::int32_t sample) const {
  if (samples.empty()) return rna;
  const std::int64_t size = genes_count() * rna_dim;
  if (!rna.empty()) return {rna.begin() + sample * size, rna.begin() + (sample + 1) * size};
  std::vector<float> out(static_cast<std::size_t>(size));
  read_rna(sample, out.data());
  return out;
}

}  // namespace cdt
