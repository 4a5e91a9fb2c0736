#include "io/dataset/dataset.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "engine/error.h"
#include "io/dataset/dataset_files.h"
#include "io/dataset/manifest.h"
#include "io/format/finite.h"
#include "io/format/narrow_floats.h"
#include "io/format/text.h"

namespace cdt {
namespace {

std::size_t element_size(bool is_bfloat16) { return is_bfloat16 ? 2 : sizeof(float); }

void check_dna_size(const InputFile& file, const Manifest& m) {
  const std::size_t element = element_size(m.dna_is_bfloat16);
  const std::size_t expected = static_cast<std::size_t>(m.enhancers * m.bins * m.dna_dim) * element;
  const std::string shape = std::to_string(m.enhancers) + " x " + std::to_string(m.bins) + " x " +
                            std::to_string(m.dna_dim) + " x " + std::to_string(element);
  check_blob_size(file.path(), file.size(), expected, shape, file.head(kHeadBytes));
}

std::int32_t find(const NameIndex& index, const std::string& name) {
  const auto at = index.find(name);
  return at == index.end() ? -1 : at->second;
}

/// The rows of a (G, columns) matrix that `rows` names, in its order.
std::vector<float> rows_of(const std::vector<float>& matrix, std::int64_t columns,
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

Dataset::Dataset(std::filesystem::path from) : directory(std::move(from)) {
  const Manifest m = read_manifest(directory / "dataset.json");
  bins = m.bins;
  dna_dim = m.dna_dim;
  rna_dim = m.rna_dim;
  protein_dim = m.protein_dim;
  bin_bp = m.bin_bp;
  assembly = m.assembly;
  dna_is_bfloat16_ = m.dna_is_bfloat16;

  genes = read_gene_list(directory / m.rna_genes, m.genes);
  check_same_genes(directory / m.rna_genes, genes, directory / m.protein_genes,
                   read_gene_list(directory / m.protein_genes, m.genes));
  enhancers = read_enhancers(directory / m.enhancers_file);
  if (enhancers_count() != m.enhancers) {
    throw InputError((directory / m.enhancers_file).string(), "lines",
                     expected_got("enhancer count differs from dna.shape in dataset.json",
                                  std::to_string(m.enhancers), std::to_string(enhancers_count())));
  }
  dna_.emplace(directory / m.dna_file);
  check_dna_size(*dna_, m);
  rna = read_matrix(directory / m.rna_file, genes, rna_dim);
  protein = read_matrix(directory / m.protein_file, genes, protein_dim);

  gene_index_ = index_names(genes);
  std::vector<std::string> names;
  names.reserve(enhancers.size());
  for (const Enhancer& e : enhancers) names.push_back(e.name);
  enhancer_index_ = index_names(names);
  pairs = read_pairs(directory / m.pairs_file, enhancer_index_, gene_index_);
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
  for (const std::int32_t row : rows) {
    CDT_CHECK(row >= 0 && row < genes_count(), "no such gene row");
    place[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(chosen.size());
    chosen.push_back(genes[static_cast<std::size_t>(row)]);
  }
  rna = rows_of(rna, rna_dim, rows);
  protein = rows_of(protein, protein_dim, rows);
  genes = std::move(chosen);
  gene_index_ = index_names(genes);
  for (Pair& pair : pairs) pair.gene = place[static_cast<std::size_t>(pair.gene)];
  return static_cast<std::int64_t>(
      std::erase_if(pairs, [](const Pair& pair) { return pair.gene < 0; }));
}

void Dataset::read_dna(std::int32_t enhancer, float* out) const {
  CDT_CHECK(enhancer >= 0 && enhancer < enhancers_count(), "no such enhancer row");
  const std::int64_t count = bins * dna_dim;
  const std::size_t bytes = static_cast<std::size_t>(count) * element_size(dna_is_bfloat16_);
  const std::size_t offset = static_cast<std::size_t>(enhancer) * bytes;
  if (dna_is_bfloat16_) {
    // The values stand in the second half of `out`; each is read before its place is written.
    std::byte* narrow = reinterpret_cast<std::byte*>(out) + bytes;
    dna_->read(offset, narrow, bytes);
    convert_values<std::uint16_t>(narrow, static_cast<std::size_t>(count), out, bfloat16_to_float);
  } else {
    dna_->read(offset, out, bytes);
  }
  const std::int64_t bad = first_non_finite(out, count);
  if (bad < 0) return;
  throw InputError(dna_->path().string(),
                   "enhancer " + enhancers[static_cast<std::size_t>(enhancer)].name + " (row " +
                       std::to_string(enhancer) + "), bin " + std::to_string(bad / dna_dim) +
                       ", feature " + std::to_string(bad % dna_dim),
                   expected_got("bad value", "a finite number", format_number(out[bad])));
}

}  // namespace cdt
