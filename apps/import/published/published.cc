#include "apps/import/published/published.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "apps/import/words.h"
#include "engine/error.h"
#include "io/format/floats.h"
#include "io/format/hdf5/proxy.h"
#include "io/format/npz.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kMaxMapBytes = std::size_t{64} << 20U;

struct Table {
  std::vector<std::string> genes;
  std::vector<float> values;
  std::int64_t dim = 0;
};

void require_distinct_words(const Hdf5DatasetProxy& names, const std::vector<std::string>& genes) {
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < genes.size(); ++i) {
    const std::string field = names.at(static_cast<std::int64_t>(i));
    require_word(names.file(), field, genes[i]);
    if (!seen.insert(genes[i]).second) {
      throw InputError(names.file(), field, "gene " + genes[i] + " is there twice");
    }
  }
}

Table read_table(const std::filesystem::path& path) {
  const Hdf5FileProxy file(path);
  const Hdf5DatasetProxy names = file.dataset("gene_names", {kAnySize});
  const Hdf5DatasetProxy embeddings = file.dataset("embeddings", {names.shape()[0], kAnySize});
  Table table{names.read_strings(), embeddings.read_floats(), embeddings.shape()[1]};
  require_distinct_words(names, table.genes);
  const auto count = static_cast<std::int64_t>(table.values.size());
  const std::int64_t bad = first_non_finite(table.values.data(), count);
  if (bad >= 0) {
    throw InputError(file.name(), embeddings.at(bad / table.dim),
                     expected_got("value " + std::to_string(bad % table.dim) + " is not usable",
                                  "a finite number",
                                  format_number(table.values[static_cast<std::size_t>(bad)])));
  }
  return table;
}

constexpr std::int64_t kMaxCoordinate = 4294967294;  // 32 bits, as in BED

/// Columns of one file, all of the same length.
struct Columns {
  std::vector<std::int64_t> gene, start, end, label;
  std::vector<std::string> chrom;
  std::vector<float> beta, se;
};

Columns read_columns(const Hdf5FileProxy& file) {
  const Hdf5DatasetProxy genes = file.dataset("esm2_idx", {kAnySize});
  const std::vector<std::int64_t>& rows = genes.shape();
  Columns columns;
  columns.gene = genes.read_integers();
  columns.chrom = file.dataset("enhancer_chr", rows).read_strings();
  columns.start = file.dataset("enhancer_start", rows).read_integers();
  columns.end = file.dataset("enhancer_end", rows).read_integers();
  if (file.has("beta")) columns.beta = file.dataset("beta", rows).read_floats();
  if (file.has("se")) columns.se = file.dataset("se", rows).read_floats();
  if (file.has("labels")) columns.label = file.dataset("labels", rows).read_integers();
  return columns;
}

std::string field(const char* name, std::size_t row) {
  return std::string(name) + "[" + std::to_string(row) + "]";
}

/// Effect of a row; 0 if it is NaN or the file has no effects, as in the reference.
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

/// Standard error of a row's effect; 0 if the file has none.
float se_of(const Columns& columns, std::size_t row, const std::string& file) {
  if (columns.se.empty()) return 0.0F;
  const float se = columns.se[row];
  if (!(se > 0.0F && std::isfinite(se))) {
    throw InputError(
        file, field("se", row),
        expected_got("is no standard error", "a finite number above 0", format_number(se)));
  }
  return se;
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

GeneTables read_gene_tables(const std::filesystem::path& rna,
                            const std::filesystem::path& protein) {
  Table first = read_table(rna);
  Table second = read_table(protein);
  if (first.genes.size() != second.genes.size()) {
    throw InputError(protein.string(), "gene_names",
                     expected_got("the gene list differs from that of " + rna.string(),
                                  std::to_string(first.genes.size()) + " genes",
                                  std::to_string(second.genes.size())));
  }
  for (std::size_t i = 0; i < first.genes.size(); ++i) {
    if (first.genes[i] == second.genes[i]) continue;
    throw InputError(protein.string(), "gene_names[" + std::to_string(i) + "]",
                     expected_got("the gene list differs from that of " + rna.string(),
                                  first.genes[i], second.genes[i]));
  }
  return {.genes = std::move(first.genes),
          .rna = std::move(first.values),
          .protein = std::move(second.values),
          .rna_dim = first.dim,
          .protein_dim = second.dim,
          .starts = {}};
}

GeneMap read_gene_map(const std::filesystem::path& path, std::int64_t genes) {
  const NpyIntegers array = read_npz_integers(path, "old_to_new", kMaxMapBytes);
  if (array.shape.size() != 2 || array.shape[1] != 2) {
    throw InputError(path.string(), "old_to_new", "is not an array of shape [n, 2]");
  }
  GeneMap map;
  map.entries = array.shape[0];
  for (std::size_t i = 0; i < static_cast<std::size_t>(map.entries); ++i) {
    const std::int64_t index = array.values[2 * i + 1];
    if (index < 0 || index >= genes) {
      throw InputError(path.string(), "old_to_new[" + std::to_string(i) + "]",
                       expected_got("new index is not a row of the embeddings",
                                    "0 to " + std::to_string(genes - 1), std::to_string(index)));
    }
    map.new_of_old[array.values[2 * i]] = static_cast<std::int32_t>(index);
  }
  return map;
}

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
  const Hdf5FileProxy file(path);
  const Columns columns = read_columns(file);
  ScreenSplit out;
  out.split = split;
  out.file = file.name();
  out.rows_read = static_cast<std::int64_t>(columns.gene.size());
  out.has_beta = !columns.beta.empty();
  out.has_labels = !columns.label.empty();
  out.has_se = !columns.se.empty();
  if (!out.has_beta) {
    warn(out.file + ": beta: is missing; every effect is 0, as in the reference");
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
                        beta_of(columns, row, &out), label, se_of(columns, row, out.file)});
  }
  if (out.rows.empty()) {
    throw InputError(out.file, "esm2_idx", "no row has a gene of the mapping file");
  }
  return out;
}

}  // namespace cdt
