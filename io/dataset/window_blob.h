// A headerless blob of equally long windows of DNA features, read one window at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>

#include "io/dataset/window_cache.h"
#include "io/format/file.h"

namespace cdt {

/// Throws InputError, giving the product, unless a headerless blob has as many bytes as the factors
/// multiply to: its dimensions and the bytes of an element.
void check_blob_size(const InputFile& file, std::initializer_list<std::int64_t> factors);

class WindowBlob {
 public:
  struct Shape {
    std::int64_t windows = 0, bins = 0, dim = 0;
    bool is_bfloat16 = false;  // otherwise float32
  };

  /// Opens the file. Throws InputError if its size is not that of the shape.
  WindowBlob(const std::filesystem::path& path, const Shape& shape);
  /// From now on windows that are read are also copied into a cache, and read from there if they
  /// are there. Throws InputError as CacheFolder does.
  void cache_in(const CachePlace& place);
  /// Copies window `row` (bins x dim) to `out` as float32. Throws InputError on NaN or infinity,
  /// naming the window (`name`, such as "enhancer E1"), bin and feature, and Error if the file was
  /// cut short since it was opened. May be called from any thread.
  void read(std::int64_t row, const std::string& name, float* out) const;

 private:
  std::size_t window_bytes() const;

  InputFile file_;
  Shape shape_;
  std::unique_ptr<WindowCache> cache_;  // null without one
};

}  // namespace cdt
