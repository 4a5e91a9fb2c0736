#include "io/dataset/sampled_rna.h"

#include <cstddef>

#include "engine/error.h"
#include "io/dataset/not_finite.h"
#include "io/dataset/window_blob.h"
#include "io/format/floats.h"
#include "io/format/text.h"

namespace cdt {

SampledRna::SampledRna(const std::filesystem::path& path, std::int64_t samples, std::int64_t genes,
                       std::int64_t dim)
    : file_(path), samples_(samples), genes_(genes), dim_(dim) {
  check_blob_size(file_, {samples, genes, dim, sizeof(float)});
}

void SampledRna::read(std::int64_t sample, const std::string& name,
                      const std::vector<std::int32_t>& rows, const std::vector<std::string>& genes,
                      float* out) const {
  CDT_CHECK(sample >= 0 && sample < samples_, "no such sample");
  const std::size_t bytes = static_cast<std::size_t>(dim_) * sizeof(float);
  const auto offset = [&](std::int64_t row) {
    return static_cast<std::uint64_t>(sample * genes_ + row) * bytes;
  };
  // Neighbouring rows are read at once: all of them, unless genes were left out or moved.
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    file_.read(offset(rows[begin]), out + static_cast<std::int64_t>(begin) * dim_,
               (end - begin) * bytes);
    begin = end;
  }
  const std::int64_t bad = first_non_finite(out, std::ssize(rows) * dim_);
  if (bad < 0) return;
  throw NotFiniteInput(file_.path().string(),
                       "sample " + name + ", gene " + genes[static_cast<std::size_t>(bad / dim_)] +
                           ", feature " + std::to_string(bad % dim_),
                       expected_got("bad value", "a finite number", format_number(out[bad])));
}

}  // namespace cdt
