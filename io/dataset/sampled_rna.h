// RNA embeddings that differ between samples (cells, donors or conditions): a blob (samples, genes,
// features), read one sample at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/format/file.h"

namespace cdt {

class SampledRna {
 public:
  /// Opens the file. Throws InputError if it does not have `samples` x `genes` x `dim` values.
  SampledRna(const std::filesystem::path& path, std::int64_t samples, std::int64_t genes,
             std::int64_t dim);
  /// Copies the rows `rows` of one sample, whose genes have these names, to `out`. Throws
  /// InputError on NaN or infinity, naming sample, gene and feature, and Error if the file was cut
  /// short since it was opened. May be called from any thread.
  void read(std::int64_t sample, const std::string& name, const std::vector<std::int32_t>& rows,
            const std::vector<std::string>& genes, float* out) const;

 private:
  InputFile file_;
  std::int64_t samples_, genes_, dim_;
};

}  // namespace cdt
