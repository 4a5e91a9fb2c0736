// Whether the parts of a page are of one model and one data set: a page must not mix them without a
// word.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/report/material.h"

namespace cdt {

/// The same bytes; of files over 64 MiB the same size and bytes of 1024 pieces spread over them.
bool same_content(const std::filesystem::path& a, const std::filesystem::path& b);

/// The same blobs, enhancers and pairs.
bool same_data(const std::filesystem::path& a, const std::filesystem::path& b);

enum class Same : std::uint8_t { kYes, kNo, kUnknown };

/// Whether a path that a program wrote down names the same as `mine`. Folders may have moved: it is
/// looked for as it stands, and its last parts beside the folder `from` that holds the record and
/// the folders above. kUnknown where it is in none of these places. `same` compares what is found.
Same same_source(const std::filesystem::path& recorded, const std::filesystem::path& from,
                 const std::filesystem::path& mine,
                 bool (*same)(const std::filesystem::path&, const std::filesystem::path&));

/// Warnings, a line each, by what of the page they touch.
struct Doubts {
  std::vector<std::string> prediction, attribution, annotations;
};
Doubts doubts_of(const Material& material);

/// Whether the run was trained on the data set of the page.
Same trained_on_data(const Material& material);

}  // namespace cdt
