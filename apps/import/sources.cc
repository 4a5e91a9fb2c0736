#include "apps/import/sources.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

bool same_bytes(const fs::path& a, const fs::path& b) {
  const FileDescriptor first = open_for_reading(a);
  const FileDescriptor second = open_for_reading(b);
  const std::size_t size = file_size(first, a);
  if (size != file_size(second, b)) return false;
  constexpr std::size_t kPiece = std::size_t{1} << 20U;
  std::vector<char> x(kPiece);
  std::vector<char> y(kPiece);
  for (std::size_t at = 0; at < size; at += kPiece) {
    const std::size_t piece = std::min(kPiece, size - at);
    read_exactly(first, a, at, x.data(), piece);
    read_exactly(second, b, at, y.data(), piece);
    if (!std::equal(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(piece), y.begin())) {
      return false;
    }
  }
  return true;
}

void refuse_same(const Source& file, const Source& before) {
  std::error_code missing;  // a missing file is reported when it is opened
  if (!fs::exists(file.path, missing) || !fs::exists(before.path, missing)) return;
  const bool same = fs::equivalent(file.path, before.path, missing);
  if (same && file.part != before.part) return;
  if (!same && (file.kind != before.kind || !same_bytes(file.path, before.path))) return;
  throw InputError(
      file.path.string(), "--" + file.role,
      (same ? "is the file given as --" : "has the same content as the file given as --") +
          before.role + ", " + before.path.string());
}

}  // namespace

std::vector<Source> given(std::vector<Source> sources) {
  std::erase_if(sources, [](const Source& source) { return source.path.empty(); });
  return sources;
}

void refuse_same_files(const std::vector<Source>& sources) {
  for (const Source& file : sources) {
    for (const Source& before : sources) {
      if (&before == &file) break;
      refuse_same(file, before);
    }
  }
}

Inputs inputs_of(const CommonOptions& common, const std::vector<Source>& sources) {
  Inputs inputs(common);
  for (const Source& source : sources) inputs.add_file("--" + source.role, source.path);
  return inputs;
}

nlohmann::ordered_json provenance_of(const std::vector<Source>& sources) {
  nlohmann::ordered_json out;
  for (const Source& source : sources) {
    out[source.role]["file"] = path_text(source.path.filename());
    if (!source.part.empty()) out[source.role]["array"] = escape_bytes(source.part);
    out[source.role]["bytes"] = fs::file_size(source.path);
  }
  return out;
}

}  // namespace cdt
