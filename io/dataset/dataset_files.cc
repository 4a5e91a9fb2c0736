#include "io/dataset/dataset_files.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/error.h"
#include "engine/poll.h"
#include "io/format/file.h"
#include "io/format/finite.h"
#include "io/format/gzip.h"
#include "io/format/text.h"
#include "io/format/tsv.h"

namespace cdt {
namespace {

constexpr std::array<Split, 3> kSplits{Split::kTrain, Split::kVal, Split::kTest};
constexpr std::array<const char*, 3> kSplitNames{"train", "val", "test"};
constexpr std::size_t kPiece = std::size_t{1} << 24U;  // bytes read between two polls
constexpr std::size_t kLongestGene = 256;
enum PairColumn { kSplit, kEnhancer, kGene, kBeta, kLabel };

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

Pair parse_pair(const TsvFile& tsv, const NameIndex& enhancers, const NameIndex& genes) {
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

}  // namespace

const char* split_name(Split split) { return kSplitNames[static_cast<std::size_t>(split)]; }

NameIndex index_names(const std::vector<std::string>& names) {
  NameIndex index;
  index.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) index[names[i]] = static_cast<std::int32_t>(i);
  return index;
}

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

void check_blob_size(const std::filesystem::path& path, std::size_t size, std::size_t expected,
                     const std::string& shape, std::string_view first) {
  if (size == expected) return;
  refuse_foreign(path, first);
  throw InputError(path.string(), "size",
                   expected_got("wrong size", shape + " = " + std::to_string(expected) + " bytes",
                                std::to_string(size)));
}

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

std::vector<Pair> read_pairs(const std::filesystem::path& path, const NameIndex& enhancers,
                             const NameIndex& genes) {
  TsvFile tsv(path, {"split", "enhancer", "gene", "beta"}, {"label"});
  std::vector<Pair> pairs;
  while (tsv.next()) pairs.push_back(parse_pair(tsv, enhancers, genes));
  if (pairs.empty()) throw InputError(path.string(), "line 2", "there is not one pair");
  return pairs;
}

}  // namespace cdt
