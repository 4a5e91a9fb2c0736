#include "apps/import/screen.h"

#include <cmath>

#include "engine/error.h"
#include "io/format/hdf5/hdf5.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kMaxCoordinate = 4294967294;  // 32 bits, as in BED

/// The columns of one file, all of one length.
struct Columns {
  std::vector<std::int64_t> gene, start, end, label;
  std::vector<std::string> chrom;
  std::vector<float> beta;
};

Hdf5Dataset column(const Hdf5File& file, const std::string& name, std::int64_t rows) {
  Hdf5Dataset set = file.dataset(name);
  set.require_shape({rows});
  return set;
}

Columns read_columns(const Hdf5File& file) {
  const Hdf5Dataset genes = file.dataset("esm2_idx");
  genes.require_shape({kAnySize});
  const std::int64_t rows = genes.shape()[0];
  Columns columns;
  columns.gene = genes.read_integers();
  columns.chrom = column(file, "enhancer_chr", rows).read_strings();
  columns.start = column(file, "enhancer_start", rows).read_integers();
  columns.end = column(file, "enhancer_end", rows).read_integers();
  if (file.has("beta")) columns.beta = column(file, "beta", rows).read_floats();
  if (file.has("labels")) columns.label = column(file, "labels", rows).read_integers();
  return columns;
}

std::string field(const char* name, std::size_t row) {
  return std::string(name) + "[" + std::to_string(row) + "]";
}

/// Effect of a row: 0 where it is NaN or the file has none, as in the reference.
float beta_of(const Columns& columns, std::size_t row, ScreenSplit* split) {
  if (columns.beta.empty()) return 0.0F;
  const float beta = columns.beta[row];
  if (std::isinf(beta)) {
    throw InputError(split->file, field("beta", row),
                     expected_got("is infinite", "a finite number", beta > 0 ? "inf" : "-inf"));
  }
  if (!std::isnan(beta)) return beta;
  ++split->nan_beta;
  return 0.0F;
}

int label_of(const Columns& columns, std::size_t row, const std::string& file) {
  if (columns.label.empty()) return -1;
  const std::int64_t label = columns.label[row];
  if (label != 0 && label != 1) {
    throw InputError(file, field("labels", row),
                     expected_got("is not a label", "0 or 1", std::to_string(label)));
  }
  return static_cast<int>(label);
}

std::int32_t element_of(const Columns& columns, std::size_t row, const std::string& file,
                        ElementTable& elements) {
  const std::int64_t start = columns.start[row];
  const std::int64_t end = columns.end[row];
  if (start < 0 || start > kMaxCoordinate) {
    throw InputError(file, field("enhancer_start", row), "is not a coordinate");
  }
  if (end < start || end > kMaxCoordinate) {
    throw InputError(file, field("enhancer_end", row), "lies before the start");
  }
  require_word(file, field("enhancer_chr", row), columns.chrom[row]);
  return elements.number(columns.chrom[row], start, end);
}

}  // namespace

std::string ElementTable::Element::name() const {
  return chrom + "-" + std::to_string(start) + "-" + std::to_string(end);
}

std::int32_t ElementTable::number(const std::string& chrom, std::int64_t start, std::int64_t end) {
  const auto next = static_cast<std::int32_t>(elements_.size());
  const auto [at, is_new] = numbers_.try_emplace({chrom, start, end}, next);
  if (is_new) elements_.push_back({chrom, start, end});
  return at->second;
}

ScreenSplit read_screen(const std::filesystem::path& path, Split split, const GeneMap& genes,
                        ElementTable& elements) {
  const Hdf5File file(path);
  const Columns columns = read_columns(file);
  ScreenSplit out;
  out.split = split;
  out.file = file.name();
  out.rows_read = static_cast<std::int64_t>(columns.gene.size());
  out.has_beta = !columns.beta.empty();
  out.has_labels = !columns.label.empty();
  if (!out.has_beta) {
    warn(out.file + ": beta: there is none; every effect is 0, as in the reference");
  }
  for (std::size_t row = 0; row < columns.gene.size(); ++row) {
    const int label = label_of(columns, row, out.file);
    const auto gene = genes.new_of_old.find(columns.gene[row]);
    if (gene == genes.new_of_old.end()) {
      ++out.removed_no_gene;
      out.removed_no_gene_positive += label == 1 ? 1 : 0;
      continue;
    }
    out.rows.push_back({static_cast<std::int64_t>(row),
                        element_of(columns, row, out.file, elements), gene->second,
                        beta_of(columns, row, &out), label});
  }
  if (out.rows.empty()) {
    throw InputError(out.file, "esm2_idx", "no row has a gene of the mapping file");
  }
  return out;
}

}  // namespace cdt
