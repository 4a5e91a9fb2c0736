#include "apps/import/published/import.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/provenance.h"
#include "apps/import/audited.h"
#include "apps/import/copy_dna.h"
#include "apps/import/hdf5_version.h"
#include "apps/import/published/record.h"
#include "apps/import/sources.h"
#include "engine/error.h"
#include "io/dataset/dataset_writer.h"
#include "io/format/file.h"
#include "io/format/floats.h"
#include "io/format/hdf5/proxy.h"
#include "io/format/json.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSample = std::int64_t{1} << 26;  // values of one DNA sample

/// The array "embeddings" (N, L, D) of the DNA file and the positions of its samples.
struct DnaSource {
  Hdf5FileProxy file;
  Hdf5DatasetProxy embeddings;
  DnaIndex index;
  std::int64_t bins() const { return embeddings.shape()[1]; }
  std::int64_t dim() const { return embeddings.shape()[2]; }
};

DnaSource open_dna(const fs::path& path) {
  Hdf5FileProxy file(path);
  Hdf5DatasetProxy embeddings = file.dataset("embeddings", {kAnySize, kAnySize, kAnySize});
  const std::vector<std::int64_t>& shape = embeddings.shape();
  if (shape[1] > kMaxSample / shape[2]) {
    throw InputError(file.name(), "embeddings", "one sample is larger than 256 MiB");
  }
  const Hdf5DatasetProxy centers = file.dataset("centers", {shape[0]});
  const std::vector<std::int64_t> centres = centers.read_integers();
  const std::vector<std::string> names = file.dataset("chroms", {shape[0]}).read_strings();
  DnaIndex index;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (centres[i] < 0 || centres[i] > std::numeric_limits<std::int64_t>::max() / 4) {
      throw InputError(file.name(), centers.at(static_cast<std::int64_t>(i)),
                       "is not a coordinate");
    }
    index.add(names[i], centres[i]);
  }
  return {std::move(file), std::move(embeddings), std::move(index)};
}

/// Throws InputError naming the first value of this sample that is NaN or infinite.
void require_finite(const DnaSource& dna, std::int64_t row, const float* sample,
                    std::int64_t size) {
  const std::int64_t bad = first_non_finite(sample, size);
  if (bad < 0) return;
  const auto count = std::count_if(sample, sample + size,
                                   [](float value) { return first_non_finite(&value, 1) == 0; });
  throw InputError(
      dna.file.name(),
      "embeddings[" + std::to_string(row) + "," + std::to_string(bad / dna.dim()) + "," +
          std::to_string(bad % dna.dim()) + "]",
      expected_got("is not usable; not finite in this row: " + number_of(count, "value"),
                   "a finite number", format_number(sample[bad])));
}

/// Source row of each element.
std::vector<std::int64_t> source_rows(const Placement& data) {
  std::vector<std::int64_t> rows;
  for (const DnaIndex::Match& match : data.matches) {
    rows.push_back(match.kind == DnaIndex::Kind::kMissing ? kNoRow : match.row);
  }
  return rows;
}

std::int64_t copy_windows(const DnaSource& dna, const Placement& data, DatasetWriter& writer,
                          DnaRows* described, bool quiet) {
  const std::int64_t size = dna.bins() * dna.dim();
  const auto read = [&](std::int64_t row, float* out) {
    dna.embeddings.read_row(row, out);
    require_finite(dna, row, out, size);
  };
  return copy_dna(source_rows(data), size, read, writer, described, quiet);
}

std::vector<Source> sources(const ImportOptions& options) {
  return given({{"dna", options.dna, "dna", ""},
                {"rna", options.rna, "embeddings", ""},
                {"protein", options.protein, "embeddings", ""},
                {"mapping", options.mapping, "mapping", ""},
                {"train", options.train, "pairs", ""},
                {"val", options.val, "pairs", ""},
                {"test", options.test, "pairs", ""},
                {"gene-table", options.gene_table, "gene-table", ""}});
}

nlohmann::ordered_json provenance(const ImportOptions& options) {
  return {{"made_by", "cdt-import " + version()},
          {"missing_dna", kMissingDnaNames[static_cast<std::size_t>(options.missing)]},
          {"sources", provenance_of(sources(options))}};
}

}  // namespace

void import_files(const ImportOptions& options) {
  refuse_same_files(sources(options));
  GeneTables tables = read_gene_tables(options.rna, options.protein);
  const GeneMap map = read_gene_map(options.mapping, tables.genes_count());
  const DnaSource dna = open_dna(options.dna);
  ElementTable elements;
  std::vector<ScreenSplit> splits;
  splits.push_back(read_screen(options.train, Split::kTrain, map, elements));
  splits.push_back(read_screen(options.val, Split::kVal, map, elements));
  if (!options.test.empty()) {
    splits.push_back(read_screen(options.test, Split::kTest, map, elements));
  }
  Placement data = place_elements(elements, dna.index, options.missing, splits);
  tables.read_starts(options.gene_table, data.enhancers);

  DatasetWriter::Sizes sizes;
  sizes.enhancers = static_cast<std::int64_t>(data.enhancers.size());
  sizes.bins = dna.bins();
  sizes.dna_dim = dna.dim();
  sizes.genes = tables.genes_count();
  sizes.rna_dim = tables.rna_dim;
  sizes.protein_dim = tables.protein_dim;
  sizes.bin_bp = options.bin_bp;
  sizes.assembly = options.assembly;
  DatasetWriter writer(options.common.out, sizes, options.common.overwrite);
  writer.write_rna(tables.rna, tables.genes);
  writer.write_protein(tables.protein, tables.genes);
  writer.write_enhancers(data.enhancers);
  writer.write_gene_starts(tables.starts);
  writer.write_pairs(data.pairs);
  DnaRows described(sizes.bins, sizes.dna_dim);
  const std::int64_t rows_used = copy_windows(dna, data, writer, &described, options.common.quiet);
  const nlohmann::ordered_json record =
      published_record({options.missing, sizes.genes, map, dna.embeddings.shape(), dna.index,
                        rows_used, splits, data});
  writer.write_extra(kProvenanceFile, provenance_text(options.common, {}, nullptr, hdf5_version()));
  finish_audited(
      written_dataset(sizes, std::move(data.enhancers), std::move(data.pairs), std::move(tables)),
      described, {record, published_record_text(record), "the published pairs"},
      provenance(options), &writer);
}

void run_published_import(const ImportOptions& options) {
  catch_interrupts("cdt-import");
  const OutputFolder out(kDataSetOutput, options.common,
                         inputs_of(options.common, sources(options)));
  import_files(options);
}

}  // namespace cdt
