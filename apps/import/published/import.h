// cdt-import of the published HDF5 and npz files: makes a data set directory (docs/data-sets.md).
#pragma once

#include <filesystem>
#include <string>

#include "apps/common/cli.h"
#include "apps/import/published/placement.h"

namespace cdt {

struct ImportOptions {
  std::filesystem::path dna, rna, protein, mapping, train, val, test;  // test may be empty
  std::filesystem::path gene_table;                                    // may be empty
  CommonOptions common;  // config, out, overwrite, quiet
  MissingDna missing = MissingDna::kZeros;
  std::string assembly = "hg38";
  int bin_bp = 128;
};

/// Writes the data set and audit.json and prints the audit to stdout. HDF5 is read by sandboxed
/// processes (io/format/hdf5/proxy.h). Memory: one DNA sample, the small files, and in the process
/// that reads DNA the chunks that cover one sample (at most Hdf5Dataset::kChunkCacheBytes). Throws
/// InputError on any mistake and then leaves nothing behind.
void import_files(const ImportOptions& options);

/// Runs import_files() into the folder that --out names.
void run_published_import(const ImportOptions& options);

}  // namespace cdt
