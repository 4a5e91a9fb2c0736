#include "io/dataset/dataset.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/error.h"
#include "engine/poll.h"
#include "io/dataset/manifest.h"
#include "io/format/file.h"
#include "io/format/floats.h"
#include "io/format/gzip.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr std::array<Split, 3> kSplits{Split::kTrain, Split::kVal, Split::kTest};
constexpr std::array<const char*, 3> kSplitNames{"train", "val", "test"};
constexpr std::size_t kPiece = std::size_t{1} << 24U;  // bytes read between two polls
constexpr std::size_t kLongestGene = 256;
enum PairColumn { kSplit, kEnhancer, kGene, kBeta, kLabel };

using NameIndex = std::unordered_map<std::string, std::int32_t>;

/// Row of each name; the names are unique.
NameIndex index_names(const std::vector<std::string>& names) {
  NameIndex index;
  index.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) index[names[i]] = static_cast<std::int32_t>(i);
  return index;
}

Split parse_split(const TsvFile& tsv) {
  for (const Split split : kSplits) {
    if (tsv.field(kSplit) == split_name(split)) return split;
  }
  tsv.fail(kSplit, expected_got("unknown split", "train, val or test", tsv.field(kSplit)));
}

std::int32_t parse_name(const TsvFile& tsv, PairColumn column, const NameIndex& index,
                        const char* list) {
  const auto at = index.find(std::string(tsv.field(column)));
  if (at == index.end()) {
    tsv.fail(column,
             expected_got("unknown name", std::string("a name of ") + list, tsv.field(column)));
  }
  return at->second;
}

Pair pair_of_row(const TsvFile& tsv, const NameIndex& enhancers, const NameIndex& genes) {
  Pair pair;
  pair.split = parse_split(tsv);
  pair.enhancer = parse_name(tsv, kEnhancer, enhancers, "the enhancer list");
  pair.gene = parse_name(tsv, kGene, genes, "the gene list");
  const std::string_view fault = parse_finite(tsv.field(kBeta), &pair.beta);
  if (!fault.empty()) tsv.fail(kBeta, expected_got(fault, kFiniteNumber, tsv.field(kBeta)));
  if (tsv.has(kLabel)) {
    const std::string_view label = tsv.field(kLabel);
    if (label != "0" && label != "1") tsv.fail(kLabel, expected_got("bad value", "0 or 1", label));
    pair.label = label == "1" ? 1 : 0;
  }
  return pair;
}

std::vector<Pair> read_pairs(const std::filesystem::path& path, const NameIndex& enhancers,
                             const NameIndex& genes) {
  TsvFile tsv(path, {"split", "enhancer", "gene", "beta"}, {"label"});
  std::vector<Pair> pairs;
  while (tsv.next()) pairs.push_back(pair_of_row(tsv, enhancers, genes));
  if (pairs.empty()) throw InputError(path.string(), "line 2", "there is not one pair");
  return pairs;
}

/// One symbol per line, exactly `count`, none empty, none twice.
std::vector<std::string> read_gene_list(const std::filesystem::path& path, std::int64_t count) {
  LineFile lines(path);
  std::vector<std::string> genes;
  std::unordered_map<std::string, std::int64_t> seen;
  std::string_view line;
  while (lines.next(&line)) {
    if (line.empty() || line.size() > kLongestGene) {
      throw InputError(
          lines.file(), lines.where(),
          expected_got("gene symbol", "1 to " + std::to_string(kLongestGene) + " bytes",
                       std::to_string(line.size())));
    }
    const auto [at, fresh] = seen.emplace(line, lines.line());
    if (!fresh) {
      throw InputError(
          lines.file(), lines.where(),
          "gene " + at->first + " stands in line " + std::to_string(at->second) + " already");
    }
    genes.emplace_back(line);
  }
  if (static_cast<std::int64_t>(genes.size()) != count) {
    throw InputError(lines.file(), "lines",
                     expected_got("gene count differs from the shape in dataset.json",
                                  std::to_string(count), std::to_string(genes.size())));
  }
  return genes;
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

/// enhancers.bed: every line that is_bed_comment() does not skip is a row, four columns or more,
/// none empty, names unique.
std::vector<Enhancer> read_enhancers(const std::filesystem::path& path) {
  LineFile lines(path);
  std::vector<Enhancer> out;
  std::unordered_map<std::string, std::int64_t> seen;
  std::string_view line;
  while (lines.next(&line)) {
    if (is_bed_comment(line)) continue;
    out.push_back(parse_bed(lines, split(line, '\t'), 4));
    if (out.back().start == out.back().end) {
      throw InputError(lines.file(), lines.where() + ", end", "the enhancer is empty");
    }
    const std::string& name = out.back().name;
    const std::string where = lines.where() + ", name";
    if (name.empty()) throw InputError(lines.file(), where, "is empty");
    const auto [at, fresh] = seen.emplace(name, lines.line());
    if (!fresh) {
      throw InputError(lines.file(), where,
                       name + " stands in line " + std::to_string(at->second) + " already");
    }
  }
  return out;
}

/// InputError with the expected product unless a headerless blob has `expected` bytes; `first`
/// are its first bytes, to tell what a wrong file really is.
void check_blob_size(const std::filesystem::path& path, std::size_t size, std::size_t expected,
                     const std::string& shape, std::string_view first) {
  if (size == expected) return;
  refuse_foreign(path, first);
  throw InputError(path.string(), "size",
                   expected_got("wrong size", shape + " = " + std::to_string(expected) + " bytes",
                                std::to_string(size)));
}

std::vector<float> read_plain_floats(const std::filesystem::path& path, std::size_t rows,
                                     std::size_t columns) {
  const InputFile file(path);
  const std::size_t size = file.size();
  const std::size_t count = rows * columns;
  check_blob_size(path, size, count * sizeof(float),
                  std::to_string(rows) + " x " + std::to_string(columns) + " x 4",
                  file.head(kHeadBytes));
  std::vector<float> out(count);
  for (std::size_t at = 0; at < size; at += kPiece) {
    poll();
    file.read(at, reinterpret_cast<char*>(out.data()) + at, std::min(kPiece, size - at));
  }
  return out;
}

/// A (genes, columns) float32 blob, or its ".gz"; InputError on a wrong size and on NaN or
/// infinity, naming gene and feature.
std::vector<float> read_matrix(const std::filesystem::path& path,
                               const std::vector<std::string>& genes, std::int64_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<float> values = path.extension() == ".gz"
                                  ? read_gzip_floats(path, genes.size() * width)
                                  : read_plain_floats(path, genes.size(), width);
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

const char* split_name(Split split) { return kSplitNames[static_cast<std::size_t>(split)]; }

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
  rna = chosen_rows(rna, rna_dim, rows);
  protein = chosen_rows(protein, protein_dim, rows);
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
    // The values are read into the second half of `out`; each is widened before its place is
    // written.
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
