#include "apps/import/same_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "engine/error.h"
#include "io/format/file.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

struct Given {
  const char* option;
  const fs::path* path;
  int kind;  // files of one kind must differ in content
};

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

}  // namespace

void refuse_same_files(const ImportOptions& options) {
  enum Kind { kDna, kEmbeddings, kMapping, kPairs };
  const std::array<Given, 7> files = {{{"--dna", &options.dna, kDna},
                                       {"--rna", &options.rna, kEmbeddings},
                                       {"--protein", &options.protein, kEmbeddings},
                                       {"--mapping", &options.mapping, kMapping},
                                       {"--train", &options.train, kPairs},
                                       {"--val", &options.val, kPairs},
                                       {"--test", &options.test, kPairs}}};
  for (const Given& file : files) {
    for (const Given& before : files) {
      if (&before == &file) break;
      std::error_code missing;  // reported when the file is opened
      if (file.path->empty() || !fs::exists(*file.path, missing) ||
          !fs::exists(*before.path, missing)) {
        continue;
      }
      const bool same = fs::equivalent(*file.path, *before.path, missing);
      if (!same && (file.kind != before.kind || !same_bytes(*file.path, *before.path))) continue;
      throw InputError(
          file.path->string(), file.option,
          (same ? "is the file given as " : "has the same content as the file given as ") +
              std::string(before.option) + ", " + before.path->string());
    }
  }
}

}  // namespace cdt
