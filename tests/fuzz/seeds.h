// Small valid files of every format read, to be damaged.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace cdt::test {

constexpr std::size_t kGzipFloats = 64;

struct Seeds {
  std::filesystem::path dataset;  // a directory
  std::vector<std::filesystem::path> dataset_files;
  std::filesystem::path checkpoint, npz, gzip, json, annotations, packed_annotations;
};

Seeds make_seeds(const std::filesystem::path& directory);

}  // namespace cdt::test
