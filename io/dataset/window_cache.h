// Copies of a blob's windows on a local disk: a window read from a slow file system once is read
// from the disk afterwards, also by other processes and in later runs (io/dataset/cache_folder.h).
// Each copy ends with a digest of its content and of what it is a copy of, so one that is damaged
// is read from the blob again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "io/dataset/cache_folder.h"
#include "io/format/file.h"

namespace cdt {

class WindowCache {
 public:
  /// Joins the folder, as CacheFolder does, for the windows of this file; `bytes` each. A note says
  /// so if it has no room for all.
  WindowCache(const CachePlace& place, const InputFile& blob, std::int64_t windows,
              std::size_t bytes);

  /// Copies a window to `out`; returns false, with anything in `out`, if there is no sound copy. A
  /// damaged copy is removed, with a warning. May be called from any thread, as keep() may.
  bool read(std::int64_t window, void* out);
  /// Writes a copy of a window, if it is one of those for which there is room. If that fails, or
  /// the volume has too little left, a warning says so and nothing more is read or written here.
  void keep(std::int64_t window, const void* data);

 private:
  std::string digest(std::int64_t window, const void* data) const;
  void end(const std::string& why);

  std::string blob_;  // path
  std::size_t bytes_;
  CacheFolder folder_;
  std::atomic<bool> ended_ = false;
};

}  // namespace cdt
