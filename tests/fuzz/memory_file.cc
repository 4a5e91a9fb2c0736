#include "tests/fuzz/memory_file.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "io/format/checksum.h"
#include "io/format/file.h"

namespace cdt {
namespace {

struct Content {
  std::filesystem::path path;
  std::string_view bytes;
};

/// The files that there are, the newest last.
std::vector<Content>& contents() {
  static std::vector<Content> all;
  return all;
}

std::string_view content_of(const std::filesystem::path& path) {
  for (const Content& content : contents()) {
    if (content.path == path) return content.bytes;
  }
  throw InputError(path.string(), "open", "No such file or directory");
}

}  // namespace

bool checksums_count() { return false; }

InputFile::InputFile(std::filesystem::path path)
    : path_(std::move(path)), size_(content_of(path_).size()) {}

std::string InputFile::version() const { return path_.string(); }

void InputFile::fetch(std::uint64_t /*offset*/, std::size_t /*size*/) const {}

void InputFile::read(std::uint64_t offset, void* out, std::size_t size) const {
  const std::string_view bytes = content_of(path_);
  CDT_CHECK(offset <= bytes.size() && size <= bytes.size() - offset,
            "a reader asks for bytes that its file does not have");
  if (size > 0) std::memcpy(out, bytes.data() + offset, size);
}

std::string InputFile::head(std::size_t limit) const {
  return std::string(content_of(path_).substr(0, limit));
}

namespace test {

MemoryFile::MemoryFile(std::filesystem::path path, std::string_view bytes) {
  contents().push_back({std::move(path), bytes});
}

MemoryFile::~MemoryFile() { contents().pop_back(); }

}  // namespace test
}  // namespace cdt
