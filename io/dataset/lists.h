// The lists of a data set: genes, enhancers, and the rows of pairs.tsv (docs/formats.md).
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

/// One symbol a line, none empty, none twice. InputError names the line.
std::vector<std::string> read_gene_list(const std::filesystem::path& path);

/// Every line that is_bed_comment() does not skip is a row of three columns or more, names unique,
/// no interval empty. InputError names the line and the column.
/// `unnamed`: what becomes of a row without a fourth column, or with "." there.
enum class Unnamed : std::uint8_t { kRefuse, kNameByPlace };  // "chr1-900-1101"
std::vector<Enhancer> read_enhancers(const std::filesystem::path& path,
                                     Unnamed unnamed = Unnamed::kRefuse);

/// pairs.tsv row by row: the columns split, enhancer, gene, beta, and label or not, in any order.
class PairsFile {
 public:
  enum Column : std::uint8_t { kSplit, kEnhancer, kGene, kBeta, kLabel };

  explicit PairsFile(const std::filesystem::path& path);
  /// Moves to the next row; false at the end.
  bool next() { return tsv_.next(); }
  std::int64_t line() const { return tsv_.line(); }
  std::string name(Column column) const { return std::string(tsv_.field(column)); }
  /// The row's place in `index`, by the name in this column, or -1.
  std::int32_t find(Column column, const NameIndex& index) const;
  /// Throws InputError "line N, column NAME": the name is in no `list` ("the gene list").
  [[noreturn]] void fail_unknown(Column column, const char* list) const;
  /// InputError where it is none.
  Split split() const;
  float beta() const;
  /// -1 without the column.
  int label() const;

 private:
  TsvFile tsv_;
};

}  // namespace cdt
