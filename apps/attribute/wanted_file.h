// Files that a run writes if it is asked to; one of an earlier run goes otherwise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "io/format/npy.h"

namespace cdt {

/// Null if it is not wanted.
inline std::unique_ptr<NpyWriter> wanted_file(bool wanted, const std::filesystem::path& path,
                                              const std::vector<std::int64_t>& shape) {
  if (!wanted) return nullptr;
  return std::make_unique<NpyWriter>(path, shape);
}

/// File: a pointer to a file or an optional one. Was it wanted?
template <class File>
bool commit_or_remove(File& file, const std::filesystem::path& path) {
  if (file) {
    file->commit();
    return true;
  }
  std::error_code absent;
  std::filesystem::remove(path, absent);
  return false;
}

}  // namespace cdt
