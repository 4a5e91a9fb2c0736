// cdt-import of arrays: makes a data set directory (docs/data-sets.md) from .npy, .npz or HDF5
// arrays, lists and a table of pairs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "apps/common/cli.h"
#include "apps/import/array_file.h"

namespace cdt {

struct ArraysOptions {
  std::filesystem::path dna, rna, protein;  // FILE[:NAME]
  std::filesystem::path dna_gene;           // FILE[:NAME]; may be empty
  std::filesystem::path genes;              // of both tables; or one list for each:
  std::filesystem::path rna_genes, protein_genes;
  std::filesystem::path enhancers, pairs, gene_table;
  std::filesystem::path samples;  // of the RNA; may be empty
  CommonOptions common;           // config, out, overwrite, quiet
  std::string assembly = "hg38";
  int bin_bp = 128;
  bool void_is_bfloat16 = false;
  bool store_bfloat16 = false;
  bool drop_unknown = false;   // drop pairs with unknown names; else refuse them
  bool keep_untested = false;  // keep enhancers without a pair
};

/// The arrays, located.
struct ArrayFiles {
  ArrayFile dna, rna, protein;
  std::optional<ArrayFile> dna_gene = {};
};
/// Finds the arrays that the options name (find_array).
ArrayFiles find_arrays(const ArraysOptions& options);

/// Writes the data set and audit.json and prints the audit to stdout. Memory: two rows of DNA, the
/// tables of genes and the lists. Throws InputError on any mistake and then leaves nothing behind.
void import_arrays(const ArraysOptions& options, const ArrayFiles& files);

/// Runs import_arrays() into the folder that --out names.
void run_arrays_import(const ArraysOptions& options);

}  // namespace cdt
