// cdt-import of arrays: .npy, .npz or HDF5 arrays, lists and a table of pairs become a data set
// directory (docs/formats.md).
#pragma once

#include <filesystem>
#include <string>

#include "apps/common/cli.h"
#include "apps/import/array_file.h"

namespace cdt {

struct ArraysOptions {
  std::filesystem::path dna, rna, protein;  // FILE[:NAME]
  std::filesystem::path genes;              // of both tables, or of each:
  std::filesystem::path rna_genes, protein_genes;
  std::filesystem::path enhancers, pairs;
  CommonOptions common;  // config, out, overwrite, quiet
  std::string assembly = "hg38";
  int bin_bp = 128;
  bool void_is_bfloat16 = false;
  bool store_bfloat16 = false;
  bool drop_unknown = false;   // pairs that name what is in no list; else they are refused
  bool keep_untested = false;  // enhancers without a pair
};

/// The three arrays, found.
struct ArrayFiles {
  ArrayFile dna, rna, protein;
};

/// Writes the data set and audit.json, prints the audit to stdout. Memory: two rows of DNA, the
/// tables of genes and the lists. InputError on any mistake; nothing is left behind then.
void import_arrays(const ArraysOptions& options, const ArrayFiles& files);

/// import_arrays() into the folder that --out names, in a sandboxed child where one of the files is
/// HDF5. Returns the exit code.
int run_arrays_import(const ArraysOptions& options);

}  // namespace cdt
