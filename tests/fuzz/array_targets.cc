// Targets that read arrays and what they are packed in: .npy, .npz, zip and gzip.
#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "engine/error.h"
#include "io/format/gzip.h"
#include "io/format/npy.h"
#include "io/format/npy_rows.h"
#include "io/format/npz.h"
#include "io/format/zip.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"
#include "tests/support/zip_bytes.h"

namespace cdt::test {
namespace {

constexpr const char* kFile = "input";
constexpr std::size_t kMostBytes = std::size_t{1} << 18U;
constexpr std::int64_t kMostValues = 1 << 16;
constexpr FloatRowsOptions kOptions{.void_is_bfloat16 = true, .fortran_limit = kMostBytes};

void check_finite(const std::vector<float>& row) {
  CDT_CHECK(std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); }),
            "an accepted value that is not finite");
}

/// Reads every second row, into memory of its exact size, and the rest of the file.
void read_rows(FloatRows& array) {
  if (array.rows() > kMostValues / array.row_values()) return;
  std::vector<float> row(static_cast<std::size_t>(array.row_values()));
  for (std::int64_t i = 0; i < array.rows(); i += 2) {
    array.read(i, row.data());
    check_finite(row);
  }
  array.finish();
}

void check_integers(const NpyIntegers& array) {
  std::size_t count = 1;
  for (const std::int64_t dim : array.shape) count *= static_cast<std::size_t>(dim);
  CDT_CHECK(count == array.values.size(), "an accepted array whose shape is another");
}

/// Reads a stream in pieces of this size, kMostBytes at most.
std::string read_stream(ByteStream& stream, std::size_t piece) {
  std::string out;
  std::vector<char> buffer(piece);
  while (out.size() < kMostBytes) {
    const std::size_t got = stream.read(buffer.data(), piece);
    CDT_CHECK(got <= piece, "a stream that gives more than was asked for");
    if (got == 0) break;
    out.append(buffer.data(), got);
  }
  return out;
}

/// Calls all of these; throws the last refusal if none accepts.
void try_all(std::initializer_list<std::function<void()>> readers) {
  std::exception_ptr refusal;
  bool accepted = false;
  for (const auto& read : readers) {
    try {
      read();
      accepted = true;
    } catch (const InputError&) {
      refusal = std::current_exception();
    }
  }
  if (!accepted) std::rethrow_exception(refusal);
}

void read_npy_file() {
  const NpyFile file(kFile);
  std::int64_t values = 1;
  for (const std::int64_t dim : file.shape()) values *= dim;
  CDT_CHECK(values >= 0, "an accepted shape");
  for (std::int64_t i = 0; values > 0 && i < file.shape().front(); ++i) check_finite(file.row(i));
}

void read_member(const ZipArchive& archive, const ZipMember& member) {
  const std::string whole = archive.read(member.name, kMostBytes);
  CDT_CHECK(whole.size() == member.unpacked, "a member that is as long as it says");
  const std::string pieces = read_stream(*archive.open(member.name), 7);
  CDT_CHECK(pieces == whole, "a member that reads alike in pieces");
  if (member.method == 0) {
    std::string stored(whole.size(), '\0');
    archive.read_bytes(archive.stored_begin(member.name), stored.data(), stored.size());
    CDT_CHECK(stored == whole, "a stored member that is where it should be");
  }
}

}  // namespace

void fuzz_npy(std::string_view input) {
  const MemoryFile memory(kFile, input);
  try_all({[] { read_rows(*open_npy_rows(kFile, kOptions)); }, [] { read_npy_file(); }});
}

void fuzz_npz(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const ZipArchive archive(kFile);
  archive.expect_all_listed();
  for (const auto& [name, member] : archive.members()) {
    if (!name.ends_with(".npy")) continue;
    const std::string array = name.substr(0, name.size() - 4);
    try_all({[&] { read_rows(*open_npz_rows(kFile, array, kOptions)); },
             [&] { check_integers(read_npz_integers(kFile, array, kMostBytes)); }});
  }
}

/// The input is the only array of an archive.
void fuzz_npz_array(std::string_view input) {
  const std::string archive = zip({{"a.npy", std::string(input)}});
  const MemoryFile memory(kFile, archive);
  try_all({[] { read_rows(*open_npz_rows(kFile, "", kOptions)); },
           [] { check_integers(read_npz_integers(kFile, "a", kMostBytes)); }});
}

void fuzz_zip(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const ZipArchive archive(kFile, ZipArchive::Checksums::kMayBeMissing);
  archive.expect_all_listed();
  std::size_t left = 8;  // members that are read
  for (const auto& [name, member] : archive.members()) {
    if (left-- == 0) break;
    read_member(archive, member);
  }
}

void fuzz_gzip(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const std::string text = read_stream(*open_text_or_gzip(kFile, kMostBytes), 4096);
  CDT_CHECK(text.size() <= kMostBytes, "more text than the limit");
  CDT_CHECK(read_stream(*open_text_or_gzip(kFile, kMostBytes), 500) == text,
            "a text that reads alike in pieces");
  const std::vector<float> values = read_gzip_floats(kFile, text.size() / sizeof(float));
  CDT_CHECK(values.size() * sizeof(float) == text.size(), "as many values as bytes");
  CDT_CHECK(std::equal(text.begin(), text.end(), reinterpret_cast<const char*>(values.data())),
            "values that are the bytes of the file");
}

}  // namespace cdt::test
