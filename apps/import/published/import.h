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

/// Writes the data set and audit.json and prints the audit to stdout. Memory: the chunks that cover
/// one DNA sample (at most Hdf5Dataset::kChunkCacheBytes), one sample, and the small files. Throws
/// InputError on any mistake and then leaves nothing behind.
void import_files(const ImportOptions& options);

/// Runs import_files() in a sandboxed child process, which prints its own errors. Returns the exit
/// code. If the child dies, what it had begun to write is removed, then as run_sandboxed().
int import_in_sandbox(const ImportOptions& options);

}  // namespace cdt
