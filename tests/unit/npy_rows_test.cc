// Float arrays read row by row: files written by NumPy (tests/arrays), and damaged ones.
#include "io/format/npy_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/input_error.h"
#include "tests/support/npy_bytes.h"
#include "tests/support/recorded_arrays.h"
#include "tests/support/temp_dir.h"
#include "tests/support/zip_bytes.h"

namespace cdt {
namespace {

using test::expect_message;
using test::expect_recorded;
using test::input_error;
using test::npy_floats;
using test::write_bytes;

const std::filesystem::path kRecorded = "tests/arrays";
constexpr FloatRowsOptions kBfloat16{.void_is_bfloat16 = true};

TEST(NpyRows, ReadsWhatNumPyWrote) {
  const auto expect = [](const std::string& file, const std::string& type) {
    SCOPED_TRACE(file);
    const auto rows = open_npy_rows(kRecorded / file);
    EXPECT_EQ(rows->type(), type);
    expect_recorded(*rows, {5, 3, 4});
  };
  expect("f2.npy", "float16");
  expect("f4.npy", "float32");
  expect("f8_big_endian.npy", "float64");
  expect("f2_big_endian.npy", "float16");
  expect("f4_fortran.npy", "float32");
}

TEST(NpyRows, ReadsArchivesOfNumPy) {
  const auto expect = [](const std::string& file, const std::string& name,
                         const std::vector<std::int64_t>& shape) {
    SCOPED_TRACE(file + ":" + name);
    const auto rows = open_npz_rows(kRecorded / file, name);
    expect_recorded(*rows, shape);
    rows->finish();
  };
  expect("stored.npz", "dna", {5, 3, 4});
  expect("stored.npz", "table", {6, 2});
  expect("packed.npz", "dna", {5, 3, 4});
  expect("packed.npz", "table", {6, 2});
  expect("one.npz", "", {6, 2});
}

TEST(NpyRows, TwoBytesWithoutATypeAreBfloat16OnlyWhenToldSo) {
  const auto path = kRecorded / "bf16.npy";
  expect_message(input_error([&] { open_npy_rows(path); }), path, "array", "--bfloat16");
  const auto rows = open_npy_rows(path, kBfloat16);
  EXPECT_EQ(rows->type(), "bfloat16");
  EXPECT_TRUE(rows->is_untyped());
  expect_recorded(*rows, {5, 3, 4});
  EXPECT_FALSE(open_npy_rows(kRecorded / "f2.npy", kBfloat16)->is_untyped());
}

TEST(NpyRows, RowsMayBeLeftOut) {
  for (const bool packed : {false, true}) {
    const auto rows = packed ? open_npz_rows(kRecorded / "packed.npz", "dna")
                             : open_npy_rows(kRecorded / "f4.npy");
    std::vector<float> got(12);
    for (const std::int64_t row : {1, 4}) {
      rows->read(row, got.data());
      EXPECT_EQ(got, test::recorded_values(row * 12, 12)) << packed << row;
    }
    rows->finish();
  }
  const auto rows = open_npy_rows(kRecorded / "f4.npy");
  std::vector<float> got(12);
  rows->read(3, got.data());
  EXPECT_THROW(rows->read(2, got.data()), Error);
}

class NpyRowsMistakes : public testing::Test {
 protected:
  /// Expects that opening a file with these bytes and reading all of it fails with this message.
  void expect(const std::string& bytes, const std::string& field, const std::string& what,
              const FloatRowsOptions& options = {}) const {
    write_bytes(path, bytes);
    expect_message(input_error([&] { read_all(options); }), path, field, what);
  }
  void read_all(const FloatRowsOptions& options) const {
    const auto rows = test::read_bytes(path).starts_with("PK") ? open_npz_rows(path, name, options)
                                                               : open_npy_rows(path, options);
    std::vector<float> row(static_cast<std::size_t>(rows->row_values()));
    for (std::int64_t i = 0; i < rows->rows(); ++i) rows->read(i, row.data());
    rows->finish();
  }

  test::TempDir dir;
  std::filesystem::path path = dir.path / "a.npy";
  std::string name;
};

TEST_F(NpyRowsMistakes, ValuesThatAreNotFiniteAreNamedByTheirPlace) {
  std::vector<float> values(24, 1.0F);
  values[17] = std::numeric_limits<float>::quiet_NaN();
  values[19] = std::numeric_limits<float>::infinity();
  expect(npy_floats({4, 3, 2}, values), "array[2,2,1]",
         "not finite in this row: 1 value (expected a finite number, got nan)");
  values[17] = 1.0F;
  expect(npy_floats({4, 3, 2}, values), "array[3,0,1]", "got inf");
  expect(npy_floats({24}, values), "array[19]", "got inf");
  expect(test::npy_doubles({2, 2}, {1.0, 2.0, 1e39, 3.0}), "array[1,0]",
         "is too large for float32: 1e+39");
}

TEST_F(NpyRowsMistakes, OtherTypes) {
  expect(test::npy("<i4", "(1, 1)", std::string(4, '\0')), "array",
         "dtype (expected float16, float32 or float64, got <i4)");
  expect(test::npy("|b1", "(1, 1)", std::string(1, '\0')), "array", "got |b1");
  expect(test::npy("<c8", "(1, 1)", std::string(8, '\0')), "array", "got <c8");
  expect(test::npy("<f16", "(1, 1)", std::string(16, '\0')), "array", "got <f16");
  expect(test::read_bytes(kRecorded / "objects.npy"), "array", "got |O");
  expect(test::npy("<U1", "(1,)", std::string(4, '\0')), "array", "got <U1");
  expect(test::npy("|V4", "(1,)", std::string(4, '\0')), "array", "got |V4", kBfloat16);
}

TEST_F(NpyRowsMistakes, Shapes) {
  expect(test::npy("<f4", "()", std::string(4, '\0')), "array", "is a single number");
  expect(test::npy("<f4", "(0, 4)", ""), "array", "is empty: its shape is (0, 4)");
  expect(test::npy("<f4", "(2, 0)", ""), "array", "is empty: its shape is (2, 0)");
  expect(npy_floats({4}, {1, 2, 3}), "array",
         "wrong number of bytes of data (expected 16, got 12)");
  expect(npy_floats({2}, {1, 2, 3}), "array", "wrong number of bytes of data (expected 8, got 12)");
}

TEST_F(NpyRowsMistakes, FortranOrderOnlyAsFarAsItMayBeHeld) {
  const std::string bytes = test::npy("<f4", "(2, 2)", std::string(16, '\0'), "True");
  write_bytes(path, bytes);
  read_all({.fortran_limit = 16});
  expect(bytes, "array", "np.ascontiguousarray", {.fortran_limit = 15});
}

/// The size of a row is limited before memory is allocated for it.
TEST_F(NpyRowsMistakes, AnAbsurdRow) {
  const std::string head = test::npy("<f4", "(2, 1000000, 300)", "");
  write_bytes(path, head);
  std::filesystem::resize_file(path, head.size() + 2'400'000'000U);
  expect_message(input_error([&] { open_npy_rows(path); }), path, "array",
                 "one row is too large (expected at most 268435456 values");
}

TEST_F(NpyRowsMistakes, OtherFiles) {
  expect("", "array", "is not an npy array");
  expect("{\"a\": 1}", "array", "is not an npy array");
  expect("\x89HDF\r\n\x1a\n", "format", "HDF5");
  expect("<html>", "format", "HTML");
}

TEST_F(NpyRowsMistakes, NamesOfArrays) {
  const std::string array = npy_floats({1}, {1});
  const std::string two = test::zip({{"a.npy", array}, {"b.npy", array}, {"note.txt", "x"}});
  expect(two, "arrays", "name one as FILE:NAME; the file has 2 arrays (a, b)");
  name = "c";
  expect(two, "c", "is missing; the file has 2 arrays (a, b)");
  name = "";
  expect(test::zip({{"archive/data.pkl", "x"}}), "archive", "holds no .npy array");
}

TEST_F(NpyRowsMistakes, DamageInAnArchive) {
  const std::string array = npy_floats({3, 2}, {1, 2, 3, 4, 5, 6});
  for (const unsigned method : {0U, 8U}) {
    expect(test::zip({{.name = "a.npy", .content = array, .method = method, .crc_flip = 1}}),
           "a.npy", "checksum differs");
    expect(test::zip({{.name = "a.npy", .content = array.substr(0, 140), .method = method}}), "a",
           "wrong number of bytes of data (expected 24, got 12)");
    const std::string whole = test::zip({{"a.npy", array, method}});
    for (std::size_t size = 0; size < whole.size(); size += 7) {
      write_bytes(path, whole.substr(0, size));
      EXPECT_NE(input_error([&] { open_npz_rows(path, "a")->finish(); }), "") << size;
    }
  }
  expect(test::zip({{.name = "a.npy", .content = array, .flags = 1}}), "a.npy", "is encrypted");
}

/// Damage after the last requested row is still found. The array is larger than the part that is
/// read to learn its shape.
TEST_F(NpyRowsMistakes, DamageBehindTheRowsThatWereRead) {
  const std::vector<float> values(600000, 1.0F);
  for (const unsigned method : {0U, 8U}) {
    write_bytes(path, test::zip({{.name = "a.npy",
                                  .content = npy_floats({2, 300000}, values),
                                  .method = method,
                                  .crc_flip = 1}}));
    const auto rows = open_npz_rows(path, "a");
    std::vector<float> row(300000);
    rows->read(0, row.data());
    expect_message(input_error([&] { rows->finish(); }), path, "a.npy", "checksum differs");
  }
}

TEST_F(NpyRowsMistakes, Zip64ArchivesAreRead) {
  write_bytes(path, test::zip64({{"a.npy", npy_floats({3, 2}, {1, 2, 3, 4, 5, 6}), 8}}));
  read_all({});
}

}  // namespace
}  // namespace cdt
