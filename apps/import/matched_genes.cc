#include "apps/import/matched_genes.h"

#include <algorithm>
#include <vector>

#include "apps/import/words.h"
#include "engine/error.h"
#include "engine/poll.h"
#include "io/dataset/lists.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kMaxValues = std::int64_t{1} << 28;  // per table: 1 GiB

/// Reads the genes of a table, `count` of them.
std::vector<std::string> genes_of(const std::filesystem::path& list, const FloatRows& table,
                                  std::int64_t count) {
  std::vector<std::string> genes = read_gene_list(list);
  for (std::size_t i = 0; i < genes.size(); ++i) {
    require_word(list.string(), "line " + std::to_string(i + 1), genes[i]);
  }
  if (std::ssize(genes) != count) {
    throw InputError(list.string(), "lines",
                     expected_got("there must be a gene for each row of " + table.file() + " " +
                                      shape_text(table.shape()),
                                  std::to_string(count), std::to_string(genes.size())));
  }
  return genes;
}

/// Reads the names of the samples of the RNA; none if it has none.
std::vector<std::string> samples_of(const std::filesystem::path& list, const FloatRows& rna) {
  if (list.empty()) return {};
  std::vector<std::string> samples = read_sample_list(list);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    require_word(list.string(), "line " + std::to_string(i + 1), samples[i]);
  }
  if (std::ssize(samples) != rna.rows()) {
    throw InputError(list.string(), "lines",
                     expected_got("there must be a sample for each table of " + rna.file() + " " +
                                      shape_text(rna.shape()),
                                  std::to_string(rna.rows()), std::to_string(samples.size())));
  }
  return samples;
}

void require_table(const FloatRows& table, bool by_sample) {
  if (table.shape().size() != (by_sample ? 3 : 2)) {
    const std::string wanted = by_sample ? "(samples, genes, features)" : "(genes, features)";
    const bool lacks_list = !by_sample && table.shape().size() == 3;
    throw InputError(table.file(), table.field(),
                     expected_got(std::string("has the wrong shape") +
                                      (lacks_list ? "; RNA of samples needs --samples" : ""),
                                  wanted, shape_text(table.shape())));
  }
  if (table.rows() > kMaxValues / table.row_values()) {
    throw InputError(table.file(), table.field(), "is over 1 GiB as float32");
  }
}

/// Reads the rows into the places given by `place`; a row with place -1 is checked and dropped.
std::vector<float> rows_in_place(FloatRows& table, const std::vector<std::int64_t>& place,
                                 std::int64_t genes) {
  const std::int64_t width = table.row_values();
  std::vector<float> values(static_cast<std::size_t>(genes * width));
  std::vector<float> spare(static_cast<std::size_t>(width));
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    poll();
    const std::int64_t to = place[static_cast<std::size_t>(row)];
    table.read(row, to < 0 ? spare.data() : values.data() + to * width);
  }
  table.finish();
  return values;
}

/// Reads the genes' rows of every sample: (samples, genes, features).
std::vector<float> sampled_rows(FloatRows& table, const std::vector<std::int64_t>& place,
                                std::int64_t genes) {
  const std::int64_t width = table.shape().back();
  std::vector<float> values(static_cast<std::size_t>(table.rows() * genes * width));
  std::vector<float> sample(static_cast<std::size_t>(table.row_values()));
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    poll();
    table.read(row, sample.data());
    for (std::size_t gene = 0; gene < place.size(); ++gene) {
      if (place[gene] < 0) continue;
      std::copy_n(sample.begin() + static_cast<std::int64_t>(gene) * width, width,
                  values.begin() + (row * genes + place[gene]) * width);
    }
  }
  table.finish();
  return values;
}

/// Index in `index` of each of `genes`, or -1.
std::vector<std::int64_t> places(const std::vector<std::string>& genes, const NameIndex& index) {
  std::vector<std::int64_t> out;
  for (const std::string& gene : genes) {
    const auto at = index.find(gene);
    out.push_back(at == index.end() ? -1 : at->second);
  }
  return out;
}

void match(const std::vector<std::string>& rna, const std::vector<std::string>& protein,
           MatchedGenes* out) {
  const NameIndex in_rna = index_names(rna);
  const NameIndex in_protein = index_names(protein);
  for (std::size_t row = 0; row < rna.size(); ++row) {
    if (in_protein.contains(rna[row])) {
      out->genes.push_back(rna[row]);
      out->listed_at.push_back(static_cast<std::int64_t>(row));
    } else {
      out->in_one_list.insert(rna[row]);
    }
  }
  for (const std::string& gene : protein) {
    if (!in_rna.contains(gene)) out->in_one_list.insert(gene);
  }
  out->rna_listed = static_cast<std::int64_t>(rna.size());
  out->protein_listed = static_cast<std::int64_t>(protein.size());
}

void say_matched(const MatchedGenes& genes) {
  if (genes.in_one_list.empty()) return;
  note("genes: " + std::to_string(genes.genes_count()) + " are in both lists and kept, of " +
       std::to_string(genes.rna_listed) + " with RNA and " + std::to_string(genes.protein_listed) +
       " with protein; left out: " +
       named({genes.in_one_list.begin(), genes.in_one_list.end()}, "gene"));
}

}  // namespace

MatchedGenes read_matched_genes(const ArraysOptions& options, FloatRows& rna, FloatRows& protein) {
  const bool by_sample = !options.samples.empty();
  require_table(rna, by_sample);
  require_table(protein, false);
  const bool one = !options.genes.empty();
  const std::filesystem::path& protein_list = one ? options.genes : options.protein_genes;
  const std::vector<std::string> rna_genes =
      genes_of(one ? options.genes : options.rna_genes, rna, rna.shape()[by_sample ? 1 : 0]);
  const std::vector<std::string> protein_genes = genes_of(protein_list, protein, protein.rows());
  MatchedGenes out;
  out.samples = samples_of(options.samples, rna);
  match(rna_genes, protein_genes, &out);
  if (out.genes.empty()) {
    throw InputError(protein_list.string(), "genes",
                     expected_got("none is in " + options.rna_genes.string(),
                                  "symbols such as " + rna_genes.front(), protein_genes.front()));
  }
  const NameIndex index = index_names(out.genes);
  out.rna_dim = rna.shape().back();
  out.protein_dim = protein.row_values();
  const std::vector<std::int64_t> rna_places = places(rna_genes, index);
  out.rna = by_sample ? sampled_rows(rna, rna_places, out.genes_count())
                      : rows_in_place(rna, rna_places, out.genes_count());
  out.protein = rows_in_place(protein, places(protein_genes, index), out.genes_count());
  if (out.rna == out.protein) {
    throw InputError(protein.file(), "--protein",
                     "has the same values as the array given as --rna, " + rna.file());
  }
  say_matched(out);
  return out;
}

}  // namespace cdt
