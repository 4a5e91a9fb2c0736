// Small HDF5 files in the layouts that cdt-import reads, to be damaged.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cdt::test {

struct HostileSeed {
  std::string name;
  std::string bytes;
};

/// Makes each in `folder` and takes it away again: DNA, a screen and a table of genes as they are
/// published, storage in compact and contiguous form, the newest file format, and what h5py wrote
/// (tests/arrays).
std::vector<HostileSeed> hostile_seeds(const std::filesystem::path& folder);

}  // namespace cdt::test
