// HDF5 data sets read as arrays row by row, also inside groups.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/error.h"
#include "io/format/hdf5/rows.h"
#include "tests/support/hdf5_writer.h"
#include "tests/support/input_error.h"
#include "tests/support/recorded_arrays.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::expect_recorded;
using test::Hdf5Writer;
using test::input_error;

const std::filesystem::path kRecorded = "tests/arrays/groups.h5";

void expect(const std::string& name, const std::string& type,
            const std::vector<std::int64_t>& shape, bool void_is_bfloat16 = false) {
  SCOPED_TRACE(name);
  const auto rows = open_hdf5_rows(kRecorded, name, {.void_is_bfloat16 = void_is_bfloat16});
  EXPECT_EQ(rows->type(), type);
  EXPECT_EQ(rows->is_untyped(), void_is_bfloat16);
  expect_recorded(*rows, shape);
}

TEST(ImportHdf5Rows, ReadsWhatH5pyWrote) {
  expect("windows/f2", "float16", {5, 3, 4});
  expect("/windows/f2", "float16", {5, 3, 4});
  expect("table", "float64", {6, 2});
  expect("windows/bf16", "bfloat16", {5, 3, 4}, true);
  expect_message(input_error([] { open_hdf5_rows(kRecorded, "windows/bf16"); }), kRecorded,
                 "windows/bf16", "--bfloat16");
}

TEST(ImportHdf5Rows, NamesThatLeadNowhere) {
  const auto expect_refusal = [](const std::string& name, const std::string& field,
                                 const std::string& what) {
    expect_message(input_error([&] { open_hdf5_rows(kRecorded, name); }), kRecorded, field, what);
  };
  const std::string there = "the file has 3 data sets (table, windows/bf16, windows/f2)";
  expect_refusal("", "data sets", "name one as FILE:NAME; " + there);
  expect_refusal("windows/f4", "windows/f4", "is missing; " + there);
  expect_refusal("none/f2", "none/f2", "is missing; " + there);
  expect_refusal("windows", "windows", "cannot be opened as a data set");
  expect_refusal("alias", "alias", "is a soft link, which is not followed");
}

class ImportHdf5RowsMade : public testing::Test {
 protected:
  test::TempDir dir;
  std::filesystem::path path = dir.path / "a.h5";
};

TEST_F(ImportHdf5RowsMade, ALinkOnTheWayIsNotFollowed) {
  {
    const Hdf5Writer file(path);
    const Hdf5Handle group(H5Gcreate2(file.id(), "real", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                           H5Gclose);
    H5Lcreate_soft("/real", file.id(), "soft", H5P_DEFAULT, H5P_DEFAULT);
  }
  {
    const Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle set(H5Dcreate2(file.get(), "real/x", H5T_NATIVE_FLOAT, space.get(),
                                    H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                         H5Dclose);
  }
  expect_message(input_error([&] { open_hdf5_rows(path, "soft/x"); }), path, "soft",
                 "is a soft link, which is not followed");
  expect_message(input_error([&] { open_hdf5_rows(path, ""); }), path, "real/x",
                 "is a single number, no array");
}

TEST_F(ImportHdf5RowsMade, ABfloat16ThatSaysSoNeedsNoWord) {
  const std::vector<float> values = {0.5F, -3.0F, 96.0F, 1.0F};
  {
    const Hdf5Handle type(H5Tcopy(H5T_IEEE_F32BE), H5Tclose);
    H5Tset_fields(type.get(), 15, 7, 8, 0, 7);
    H5Tset_precision(type.get(), 16);
    H5Tset_size(type.get(), 2);
    H5Tset_ebias(type.get(), 127);
    Hdf5Writer(path).numbers<float>("x", {2, 2}, values, {}, type.get());
  }
  const auto rows = open_hdf5_rows(path, "");
  EXPECT_EQ(rows->type(), "bfloat16");
  EXPECT_FALSE(rows->is_untyped());
  std::vector<float> got(2);
  rows->read(1, got.data());
  EXPECT_EQ(got, (std::vector<float>{96.0F, 1.0F}));
}

TEST_F(ImportHdf5RowsMade, WhatHoldsNoFloats) {
  Hdf5Writer(path).numbers<int>("x", {2, 2}, {1, 2, 3, 4});
  expect_message(input_error([&] { open_hdf5_rows(path, "x"); }), path, "x", "holds no floats");
  Hdf5Writer(path).fixed_strings("x", {"a", "b"}, 4);
  expect_message(input_error([&] { open_hdf5_rows(path, "x"); }), path, "x", "holds no floats");
  { const Hdf5Writer empty(path); }
  expect_message(input_error([&] { open_hdf5_rows(path, ""); }), path, "HDF5", "holds no data set");
}

TEST_F(ImportHdf5RowsMade, NotFiniteByItsPlace) {
  Hdf5Writer(path).numbers<float>("x", {2, 2}, {1, 2, 3, NAN});
  const auto rows = open_hdf5_rows(path, "x");
  std::vector<float> got(2);
  rows->read(0, got.data());
  expect_message(input_error([&] { rows->read(1, got.data()); }), path, "x[1,1]", "got nan");
}

}  // namespace
}  // namespace cdt
