// The lists of a data set: genes, enhancers, and the rows of pairs.tsv (docs/data-sets.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/format/text_file.h"

namespace cdt {

/// Reads a gene list: one symbol per line, none empty, none repeated. Throws InputError naming the
/// line.
std::vector<std::string> read_gene_list(const std::filesystem::path& path);
/// Reads a list of samples, by the same rules.
std::vector<std::string> read_sample_list(const std::filesystem::path& path);

/// What to do with an enhancer without a fourth column, or with "." in it: refuse it or name it
/// after its place, "chr1-900-1101".
enum class Unnamed : std::uint8_t { kRefuse, kNameByPlace };

/// Reads a BED file of enhancers: every line that is_bed_comment() does not skip is a row of at
/// least three columns, with unique names and no empty interval. Throws InputError naming line and
/// column.
std::vector<Enhancer> read_enhancers(const std::filesystem::path& path,
                                     Unnamed unnamed = Unnamed::kRefuse);

/// Reads pairs.tsv row by row: the columns split, enhancer, gene, beta and optionally
/// label, fold, se and sample, in any order.
class PairsFile {
 public:
  enum Column : std::uint8_t { kEnhancer, kGene, kBeta, kSplit, kLabel, kFold, kSe, kSample };

  /// without_split: whether the column split may be missing; all rows are then train.
  explicit PairsFile(const std::filesystem::path& path, bool without_split = false);
  bool has_split() const { return tsv_.has(kSplit); }
  /// Moves to the next row; false at the end.
  bool next() { return tsv_.next(); }
  std::int64_t line() const { return tsv_.line(); }
  std::string name(Column column) const { return std::string(tsv_.field(column)); }
  /// Index in `index` of the name in this column, or -1.
  std::int32_t find(Column column, const NameIndex& index) const;
  /// Throws InputError "line N, column NAME": the name is not in `list` (such as "the gene list").
  [[noreturn]] void fail_unknown(Column column, const char* list) const;
  /// Split of the row; throws InputError if the word is not a split.
  Split split() const;
  float beta() const;
  /// Label of the row, or -1 if there is no label column.
  int label() const;
  /// Fold of the row, from 1, or 0 if there is no fold column.
  std::int32_t fold() const;
  /// Standard error of beta, or 0 if there is no se column.
  float se() const;
  bool has_samples() const { return tsv_.has(kSample); }
  /// Throws InputError if there is no column `sample`, which data sets with RNA of samples need.
  void require_samples() const;

 private:
  TsvFile tsv_;
};

/// Text of pairs.tsv. enhancers and genes: the names that the pairs' indices stand for. Columns
/// label, fold and se appear if the pairs have them, and then all pairs must; column sample if
/// there are samples.
std::string pairs_text(const std::vector<Pair>& pairs, const std::vector<std::string>& enhancers,
                       const std::vector<std::string>& genes,
                       const std::vector<std::string>& samples = {});

}  // namespace cdt
