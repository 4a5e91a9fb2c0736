#include "apps/import/genes.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "engine/error.h"
#include "io/format/floats.h"
#include "io/format/hdf5/hdf5.h"
#include "io/format/npy.h"
#include "io/format/npz.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kMaxWord = 200;
constexpr std::size_t kMaxMapBytes = std::size_t{64} << 20U;

struct Table {
  std::vector<std::string> genes;
  std::vector<float> values;
  std::int64_t dim = 0;
};

void require_distinct_words(const Hdf5Dataset& names, const std::vector<std::string>& genes) {
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
  const Hdf5File file(path);
  const Hdf5Dataset names = file.dataset("gene_names");
  names.require_shape({kAnySize});
  const Hdf5Dataset embeddings = file.dataset("embeddings");
  embeddings.require_shape({names.shape()[0], kAnySize});
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

}  // namespace

void require_word(const std::string& file, const std::string& field, const std::string& text) {
  if (text.empty()) throw InputError(file, field, "is empty");
  if (text.size() > kMaxWord) throw InputError(file, field, "is longer than 200 bytes");
  const bool one_word = std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f;
  });
  if (!one_word) throw InputError(file, field, "is not one printable word: '" + text + "'");
}

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
  return {std::move(first.genes), std::move(first.values), std::move(second.values), first.dim,
          second.dim};
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

}  // namespace cdt
