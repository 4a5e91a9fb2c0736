// Small valid files of every supported format, to be damaged.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "tests/support/zip_bytes.h"

namespace cdt::test {

constexpr std::size_t kGzipFloats = 64;

/// A file of torch.save; its pickle separately, and the members needed to pack it again.
struct PtSeed {
  std::filesystem::path file, pickle;
  std::vector<ZipEntry> members;
};

struct Seeds {
  std::filesystem::path dataset;  // a directory
  std::vector<std::filesystem::path> dataset_files;
  std::filesystem::path checkpoint, npz, npy_rows, npz_rows, gzip, json, annotations,
      packed_annotations, journal;
  std::vector<PtSeed> torch_files;  // in every form: tests/parity/fixtures/pt
};

Seeds make_seeds(const std::filesystem::path& directory);

}  // namespace cdt::test
