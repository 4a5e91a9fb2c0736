// An npy file that a run writes if it is asked to; one of an earlier run goes otherwise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "io/npy.h"

namespace cdt {

/// Null if it is not wanted.
inline std::unique_ptr<NpyWriter> wanted_file(bool wanted, const std::filesystem::path& path,
                                              const std::vector<std::int64_t>& shape) {
  if (!wanted) return nullptr;
  return std::make_unique<NpyWriter>(path, shape);
}

inline void commit_or_remove(const std::unique_ptr<NpyWriter>& file,
                             const std::filesystem::path& path) {
  std::error_code absent;
  if (file != nullptr) {
    file->commit();
  } else {
    std::filesystem::remove(path, absent);
  }
}

}  // namespace cdt
