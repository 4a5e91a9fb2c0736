#include "apps/import/arrays.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "apps/common/program.h"
#include "apps/import/arrays_record.h"
#include "apps/import/audited.h"
#include "apps/import/copy_dna.h"
#include "apps/import/hdf5_version.h"
#include "apps/import/matched_genes.h"
#include "apps/import/screen.h"
#include "apps/import/sources.h"
#include "engine/bfloat16.h"
#include "engine/error.h"
#include "engine/poll.h"
#include "io/dataset/dataset_writer.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// Limit for a table of genes, which is read as a whole, so that its memory order hardly matters.
constexpr std::size_t kTableBytes = std::size_t{1} << 31U;

/// The arrays, opened.
struct OpenArrays {
  std::unique_ptr<FloatRows> dna, rna, protein;
  std::unique_ptr<FloatRows> dna_gene;  // null: not given
};

void refuse_idle_bfloat16(const ArraysOptions& options, const OpenArrays& arrays) {
  const bool used = arrays.dna->is_untyped() || arrays.rna->is_untyped() ||
                    arrays.protein->is_untyped() ||
                    (arrays.dna_gene != nullptr && arrays.dna_gene->is_untyped());
  if (!options.void_is_bfloat16 || used) return;
  throw InputError("command line", "--bfloat16",
                   expected_got("changes nothing: all arrays say their type",
                                "an array of two-byte values without one", arrays.dna->type()));
}

OpenArrays open_arrays(const ArraysOptions& options, const ArrayFiles& files) {
  const FloatRowsOptions rows{options.void_is_bfloat16};
  const FloatRowsOptions tables{options.void_is_bfloat16, kTableBytes};
  OpenArrays out{open_array(files.dna, rows), open_array(files.rna, tables),
                 open_array(files.protein, tables),
                 files.dna_gene ? open_array(*files.dna_gene, rows) : nullptr};
  refuse_idle_bfloat16(options, out);
  return out;
}

std::vector<Source> sources(const ArraysOptions& options, const ArrayFiles& files,
                            const OpenArrays* arrays) {
  const auto part = [arrays](const ArrayFile& file, std::unique_ptr<FloatRows> OpenArrays::*which) {
    const bool whole = arrays == nullptr || file.kind == ArrayFile::Kind::kNpy;
    return whole ? std::string() : (arrays->*which)->field();
  };
  const ArrayFile dna_gene = files.dna_gene.value_or(ArrayFile());
  return given(
      {{"dna", files.dna.path, "dna", part(files.dna, &OpenArrays::dna)},
       {"dna-gene", dna_gene.path, "dna", part(dna_gene, &OpenArrays::dna_gene)},
       {"rna", files.rna.path, "rna", part(files.rna, &OpenArrays::rna)},
       {"protein", files.protein.path, "protein", part(files.protein, &OpenArrays::protein)},
       {"samples", options.samples, "samples", ""},
       {"genes", options.genes, "genes", ""},
       {"rna-genes", options.rna_genes, "rna-genes", ""},
       {"protein-genes", options.protein_genes, "protein-genes", ""},
       {"enhancers", options.enhancers, "enhancers", ""},
       {"pairs", options.pairs, "pairs", ""},
       {"gene-table", options.gene_table, "gene-table", ""}});
}

DatasetWriter::Sizes sizes_of(const ArraysOptions& options, const FloatRows& dna,
                              const MatchedGenes& genes) {
  const std::vector<std::int64_t>& shape = dna.shape();
  if (shape.size() != 2 && shape.size() != 3) {
    throw InputError(
        dna.file(), dna.field(),
        expected_got("has the wrong shape", "(windows, bins, features)", shape_text(shape)));
  }
  if (shape.size() == 2) {
    note(dna.file() + ": " + dna.field() + ": " + shape_text(shape) +
         " is read as windows of one bin, which leave no position to attribute to");
  }
  DatasetWriter::Sizes sizes;
  sizes.bins = shape.size() == 3 ? shape[1] : 1;
  sizes.dna_dim = shape.back();
  sizes.genes = genes.genes_count();
  sizes.rna_dim = genes.rna_dim;
  sizes.protein_dim = genes.protein_dim;
  sizes.bin_bp = options.bin_bp;
  sizes.samples = std::ssize(genes.samples);
  sizes.assembly = options.assembly;
  sizes.dna_is_bfloat16 = options.store_bfloat16;
  return sizes;
}

/// Adds the windows of the genes to the sizes. Throws InputError unless there is one for each
/// listed gene, of the same bins and features as those of the enhancers.
void add_dna_gene(const ArraysOptions& options, const OpenArrays& arrays, const MatchedGenes& genes,
                  DatasetWriter::Sizes* sizes) {
  if (arrays.dna_gene == nullptr) return;
  std::vector<std::int64_t> wanted = arrays.dna->shape();
  wanted[0] = genes.rna_listed;
  if (arrays.dna_gene->shape() != wanted) {
    throw InputError(arrays.dna_gene->file(), arrays.dna_gene->field(),
                     expected_got("has the wrong shape for a window of each gene of the list",
                                  shape_text(wanted), shape_text(arrays.dna_gene->shape())));
  }
  sizes->has_dna_gene = true;
  sizes->dna_gene_is_bfloat16 = options.store_bfloat16;
}

/// Rounds a row to bfloat16, as it will be stored. Throws InputError naming the first value that
/// becomes infinite.
void round_to_bfloat16(const FloatRows& dna, std::int64_t row, float* values) {
  for (std::int64_t i = 0; i < dna.row_values(); ++i) {
    const float rounded = to_float(to_bfloat16(values[i]));
    if (!std::isfinite(rounded)) {
      throw InputError(dna.file(), dna.at(row, i),
                       "is too large for bfloat16: " + format_number(values[i]));
    }
    values[i] = rounded;
  }
}

/// Reads a row as it will be stored.
void read_stored(const ArraysOptions& options, FloatRows& dna, std::int64_t row, float* out) {
  dna.read(row, out);
  if (options.store_bfloat16) round_to_bfloat16(dna, row, out);
}

/// Copies the windows of the genes, if there are any.
void copy_gene_rows(const ArraysOptions& options, const MatchedGenes& genes,
                    const OpenArrays& arrays, DatasetWriter& writer) {
  if (arrays.dna_gene == nullptr) return;
  FloatRows& dna = *arrays.dna_gene;
  std::vector<float> window(static_cast<std::size_t>(dna.row_values()));
  for (const std::int64_t row : genes.listed_at) {
    poll();
    read_stored(options, dna, row, window.data());
    writer.append_dna_gene(window.data(), dna.row_values());
  }
  dna.finish();
}

std::int64_t copy_rows(const ArraysOptions& options, const Screen& screen, FloatRows& dna,
                       DatasetWriter& writer, DnaRows* described) {
  const auto read = [&](std::int64_t row, float* out) { read_stored(options, dna, row, out); };
  const std::int64_t used =
      copy_dna(screen.dna_rows, dna.row_values(), read, writer, described, options.common.quiet);
  dna.finish();
  return used;
}

}  // namespace

void import_arrays(const ArraysOptions& options, const ArrayFiles& files) {
  const OpenArrays arrays = open_arrays(options, files);
  const std::vector<Source> read = sources(options, files, &arrays);
  refuse_same_files(read);
  MatchedGenes genes = read_matched_genes(options, *arrays.rna, *arrays.protein);
  DatasetWriter::Sizes sizes = sizes_of(options, *arrays.dna, genes);
  Screen screen = read_screen(options, genes, arrays.dna->rows());
  sizes.enhancers = static_cast<std::int64_t>(screen.enhancers.size());
  add_dna_gene(options, arrays, genes, &sizes);
  genes.read_starts(options.gene_table, screen.enhancers);

  DatasetWriter writer(options.common.out, sizes, options.common.overwrite);
  if (genes.samples.empty()) {
    writer.write_rna(genes.rna, genes.genes);
  } else {
    writer.write_sampled_rna(genes.rna, genes.samples, genes.genes);
  }
  writer.write_protein(genes.protein, genes.genes);
  writer.write_enhancers(screen.enhancers);
  writer.write_gene_starts(genes.starts);
  writer.write_pairs(screen.pairs);
  DnaRows described(sizes.bins, sizes.dna_dim);
  const std::int64_t rows_used = copy_rows(options, screen, *arrays.dna, writer, &described);
  copy_gene_rows(options, genes, arrays, writer);
  const nlohmann::ordered_json record =
      arrays_record({options, genes, *arrays.dna, sizes.bins, sizes.dna_dim, rows_used, screen,
                     arrays.dna_gene.get()});
  const nlohmann::ordered_json provenance = {{"made_by", "cdt-import " + version()},
                                             {"sources", provenance_of(read)}};
  writer.write_extra(kProvenanceFile, provenance_text(options.common, {}, nullptr, hdf5_version()));
  const std::vector<std::string> samples = genes.samples;
  Dataset written = written_dataset(sizes, std::move(screen.enhancers), std::move(screen.pairs),
                                    std::move(genes));
  written.samples = samples;
  finish_audited(written, described,
                 {record, arrays_record_text(record), path_text(options.enhancers)}, provenance,
                 &writer);
}

ArrayFiles find_arrays(const ArraysOptions& options) {
  ArrayFiles out{find_array(options.dna), find_array(options.rna), find_array(options.protein)};
  if (!options.dna_gene.empty()) out.dna_gene = find_array(options.dna_gene);
  return out;
}

void run_arrays_import(const ArraysOptions& options) {
  catch_interrupts("cdt-import");
  const ArrayFiles files = find_arrays(options);
  const OutputFolder out(kDataSetOutput, options.common,
                         inputs_of(options.common, sources(options, files, nullptr)));
  import_arrays(options, files);
}

}  // namespace cdt
