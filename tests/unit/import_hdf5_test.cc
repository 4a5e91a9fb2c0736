// The restricted HDF5 reader: what it reads, and what it refuses.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include "engine/error.h"
#include "io/format/hdf5/proxy.h"
#include "io/format/text.h"
#include "tests/support/hdf5_writer.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::Hdf5Storage;
using test::Hdf5Writer;

class ImportHdf5 : public testing::Test {
 protected:
  void make(const std::function<void(Hdf5Writer&)>& fill) {
    Hdf5Writer writer(path());
    fill(writer);
  }
  std::filesystem::path path() const { return dir.path / "a.h5"; }
  std::filesystem::path neighbour() const { return dir.path / "neighbour.bin"; }
  Hdf5DatasetProxy open(const std::string& name = "x") const {
    return Hdf5FileProxy(path()).dataset(name);
  }

  /// The InputError message of opening (and reading) data set "x".
  std::string refusal(const std::function<void(const Hdf5DatasetProxy&)>& use = {}) const {
    try {
      const Hdf5DatasetProxy set = open();
      if (use) use(set);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  }
  void expect_refusal(const std::string& part,
                      const std::function<void(const Hdf5DatasetProxy&)>& use = {}) const {
    const std::string message = refusal(use);
    EXPECT_EQ(message.rfind(path().string() + ": ", 0), 0U) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }

  test::TempDir dir;
};

std::vector<float> counting(int count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.25F * static_cast<float>(i) - 3.0F;
  return values;
}

TEST_F(ImportHdf5, EveryStorageGivesTheSameRows) {
  const std::vector<float> values = counting(7 * 5 * 6);
  const std::vector<Hdf5Storage> storages = {{},
                                             {{7, 5, 6}},
                                             {{1, 5, 6}, true},
                                             {{3, 2, 4}, true, true, true},
                                             {{2, 5, 3}, false, true, true}};
  for (const Hdf5Storage& storage : storages) {
    make([&](Hdf5Writer& w) { w.numbers("x", {7, 5, 6}, values, storage); });
    const Hdf5DatasetProxy set = open();
    EXPECT_EQ(set.shape(), (std::vector<std::int64_t>{7, 5, 6}));
    EXPECT_EQ(set.read_floats(), values);
    for (const std::int64_t row : {6, 0, 3, 3}) {
      std::vector<float> got(30);
      set.read_row(row, got.data());
      EXPECT_EQ(got, std::vector<float>(values.begin() + row * 30, values.begin() + row * 30 + 30));
    }
  }
}

/// The second row must come from the chunks that the first one loaded: the file is emptied.
TEST_F(ImportHdf5, RowsOfOneChunkAreUnpackedOnce) {
  const int row_values = 2 * 200000;
  const std::vector<float> values = counting(4 * row_values);
  make([&](Hdf5Writer& w) {
    w.numbers("x", {4, 2, 200000}, values, {{4, 1, 100000}, true});  // chunks of 1.6 MB
  });
  const Hdf5DatasetProxy set = open();
  std::vector<float> got(static_cast<std::size_t>(row_values));
  set.read_row(0, got.data());
  std::filesystem::resize_file(path(), 0);
  set.read_row(1, got.data());
  EXPECT_TRUE(std::equal(got.begin(), got.end(), values.begin() + row_values));
}

TEST_F(ImportHdf5, CompactStorageIsRead) {
  make([](Hdf5Writer& w) {
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_layout(creation.get(), H5D_COMPACT);
    w.empty("x", H5T_NATIVE_FLOAT, {3}, creation.get());
  });
  EXPECT_EQ(open().read_floats(), std::vector<float>(3, 0.0F));
}

TEST_F(ImportHdf5, NumbersAreConverted) {
  make([](Hdf5Writer& w) {
    w.numbers<double>("f64", {3}, {0.1, -2.0, 1e-60});
    w.numbers<double>("f64be", {2}, {0.5, 8.0}, {}, H5T_IEEE_F64BE);
    w.numbers<float>("f32be", {2}, {0.5F, 8.0F}, {}, H5T_IEEE_F32BE);
    w.numbers<int>("i16be", {2}, {-7, 300}, {}, H5T_STD_I16BE);
    w.numbers<int>("u32", {2}, {7, 2147483647}, {}, H5T_STD_U32LE);
    w.numbers<double>("half", {2}, {1.0, 0.5});
  });
  const std::vector<float> f64 = open("f64").read_floats();
  EXPECT_EQ(f64[0], 0.1F);
  EXPECT_EQ(f64[1], -2.0F);
  EXPECT_EQ(f64[2], 0.0F);
  EXPECT_EQ(open("f64be").read_floats(), (std::vector<float>{0.5F, 8.0F}));
  EXPECT_EQ(open("f32be").read_floats(), (std::vector<float>{0.5F, 8.0F}));
  EXPECT_EQ(open("i16be").read_floats(), (std::vector<float>{-7.0F, 300.0F}));
  EXPECT_EQ(open("i16be").read_integers(), (std::vector<std::int64_t>{-7, 300}));
  EXPECT_EQ(open("u32").read_integers(), (std::vector<std::int64_t>{7, 2147483647}));
  EXPECT_THROW(open("half").read_integers(), InputError);
}

TEST_F(ImportHdf5, StringsLoseTheirPaddingOnly) {
  const std::vector<std::string> names = {"chr1", "chrX_long", "", "a b"};
  make([&](Hdf5Writer& w) {
    w.fixed_strings("nullpad", names, 9);
    w.fixed_strings("nullterm", names, 12, H5T_STR_NULLTERM);
    w.fixed_strings("spacepad", names, 12, H5T_STR_SPACEPAD, {{2}, true});
    w.variable_strings("variable", names);
    w.variable_strings("variable_gzip", names, {{3}, true});
  });
  for (const char* name : {"nullpad", "nullterm", "spacepad", "variable", "variable_gzip"}) {
    EXPECT_EQ(open(name).read_strings(), names) << name;
  }
}

TEST_F(ImportHdf5, HalfPrecisionIsWidened) {
  const Hdf5Handle half(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(half.get(), 15, 10, 5, 0, 10);
  H5Tset_size(half.get(), 2);
  H5Tset_ebias(half.get(), 15);
  const Hdf5Handle big(H5Tcopy(half.get()), H5Tclose);
  H5Tset_order(big.get(), H5T_ORDER_BE);
  for (const hid_t type : {half.get(), big.get()}) {
    const std::vector<float> values = {1.0F, -2.5F, 65504.0F, 0x1p-14F, 0.0F, 3.0F};
    make([&](Hdf5Writer& w) { w.numbers("x", {3, 2}, values, {{2, 2}, true}, type); });
    EXPECT_EQ(open().read_floats(), values);
    std::vector<float> row(2);
    open().read_row(2, row.data());
    EXPECT_EQ(row, (std::vector<float>{0.0F, 3.0F}));
    expect_refusal("x[0]: is not a whole number: -2.5",
                   [](const Hdf5DatasetProxy& x) { x.read_integers(); });
    make([&](Hdf5Writer& w) { w.numbers<float>("x", {2}, {7.0F, -2048.0F}, {}, type); });
    EXPECT_EQ(open().read_integers(), (std::vector<std::int64_t>{7, -2048}));
  }
}

TEST_F(ImportHdf5, FloatsAreWholeNumbersUpTo2To53) {
  make([](Hdf5Writer& w) { w.numbers<double>("x", {2}, {0x1p53, -0x1p53}); });
  EXPECT_EQ(open().read_integers(),
            (std::vector<std::int64_t>{9007199254740992, -9007199254740992}));
  make([](Hdf5Writer& w) { w.numbers<double>("x", {2}, {0x1p53, 0x1.0000000000001p53}); });
  expect_refusal("x[1]: is not a whole number: 9007199254740994",
                 [](const Hdf5DatasetProxy& x) { x.read_integers(); });
}

/// A truth value as h5py stores numpy.bool_.
TEST_F(ImportHdf5, TruthValuesAreNumbers) {
  make([](Hdf5Writer& w) {
    const Hdf5Handle type(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
    const std::vector<std::int8_t> values = {0, 1, 1};
    H5Tenum_insert(type.get(), "FALSE", values.data());
    H5Tenum_insert(type.get(), "TRUE", &values[1]);
    w.empty("x", type.get(), {3}, H5P_DEFAULT);
    const Hdf5Handle set(H5Dopen2(w.id(), "x", H5P_DEFAULT), H5Dclose);
    H5Dwrite(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  });
  EXPECT_EQ(open().read_integers(), (std::vector<std::int64_t>{0, 1, 1}));
  EXPECT_EQ(open().read_floats(), (std::vector<float>{0.0F, 1.0F, 1.0F}));
}

TEST_F(ImportHdf5, IntegersAreKeptOrRefused) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  make([](Hdf5Writer& w) { w.numbers<std::uint64_t>("x", {2}, {5, kLargest}); });
  EXPECT_EQ(open().read_integers(),
            (std::vector<std::int64_t>{5, std::numeric_limits<std::int64_t>::max()}));
  expect_refusal("x[1]: cannot be kept as a float32: 9223372036854775807",
                 [](const Hdf5DatasetProxy& x) { x.read_floats(); });
  make([](Hdf5Writer& w) { w.numbers<std::uint64_t>("x", {2}, {5, kLargest + 1}); });
  expect_refusal("x[1]: is larger than a signed 64-bit integer: 9223372036854775808",
                 [](const Hdf5DatasetProxy& x) { x.read_integers(); });
  make([](Hdf5Writer& w) { w.numbers<int>("x", {2, 2}, {-16777216, 33554432, 3, 16777217}); });
  expect_refusal("x[1]: cannot be kept as a float32: 16777217",
                 [](const Hdf5DatasetProxy& x) { x.read_floats(); });
  std::vector<float> row(2);
  open().read_row(0, row.data());
  EXPECT_EQ(row, (std::vector<float>{-16777216.0F, 33554432.0F}));
}

TEST_F(ImportHdf5, ANumberTooLargeForFloat32IsNamed) {
  make([](Hdf5Writer& w) { w.numbers<double>("x", {2, 2}, {0.1, INFINITY, 1e39, 0.0}); });
  expect_refusal("x[1]: is too large for float32: 1e+39",
                 [](const Hdf5DatasetProxy& x) { x.read_floats(); });
  std::vector<float> row(2);
  open().read_row(0, row.data());
  EXPECT_EQ(row, (std::vector<float>{0.1F, INFINITY}));
}

TEST_F(ImportHdf5, AUserBlockIsPassedOver) {
  for (const hsize_t size : {512, 4096}) {
    {
      const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
      H5Pset_userblock(creation.get(), size);
      Hdf5Writer writer(path(), creation.get());
      writer.numbers<int>("x", {2}, {4, 5});
    }
    EXPECT_EQ(open().read_integers(), (std::vector<std::int64_t>{4, 5})) << size;
  }
}

TEST_F(ImportHdf5, MissingVariableStringIsEmpty) {
  make([](Hdf5Writer& w) {
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), H5T_VARIABLE);
    w.empty("x", type.get(), {2}, H5P_DEFAULT);
  });
  EXPECT_EQ(open().read_strings(), std::vector<std::string>(2));
}

TEST_F(ImportHdf5, WrongKindOrShapeIsNamed) {
  make([](Hdf5Writer& w) { w.fixed_strings("x", {"a"}, 1); });
  expect_refusal("x: holds strings", [](const Hdf5DatasetProxy& x) { x.read_floats(); });
  expect_refusal("x: holds strings", [](const Hdf5DatasetProxy& x) { x.read_integers(); });
  make([](Hdf5Writer& w) { w.numbers<int>("x", {2, 3}, std::vector<int>(6)); });
  expect_refusal("x: holds numbers", [](const Hdf5DatasetProxy& x) { x.read_strings(); });
  expect_refusal("(expected (any, 4), got (2, 3))", [](const Hdf5DatasetProxy& x) {
    x.require_shape({kAnySize, 4});
  });
  expect_refusal("(expected (2), got (2, 3))",
                 [](const Hdf5DatasetProxy& x) { x.require_shape({2}); });
  make([](Hdf5Writer& w) { w.empty("x", H5T_NATIVE_INT, {0}, H5P_DEFAULT); });
  expect_refusal("x: is empty");
  make([](Hdf5Writer& w) { w.numbers<int>("y", {1}, {1}); });
  expect_refusal("x: data set is missing");
}

TEST_F(ImportHdf5, GroupsAndUnusualTypesAreRefused) {
  make([](Hdf5Writer& w) {
    const Hdf5Handle group(H5Gcreate2(w.id(), "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                           H5Gclose);
  });
  expect_refusal("x: cannot be opened as a data set");
  make([](Hdf5Writer& w) {
    const Hdf5Handle type(H5Tcopy(H5T_NATIVE_INT), H5Tclose);
    H5Tset_precision(type.get(), 17);
    w.empty("x", type.get(), {2}, H5P_DEFAULT);
  });
  expect_refusal("x: its values are of a type that is not read");
}

TEST_F(ImportHdf5, LinksAreNotFollowed) {
  make([](Hdf5Writer& w) {
    w.numbers<int>("y", {1}, {1});
    H5Lcreate_soft("/y", w.id(), "x", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_refusal("x: is a soft link");
  std::filesystem::copy_file(path(), neighbour());
  make([&](Hdf5Writer& w) {
    H5Lcreate_external(neighbour().c_str(), "/y", w.id(), "x", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_refusal("x: is an external link");
}

TEST_F(ImportHdf5, StorageInOtherFilesIsRefused) {
  std::ofstream(neighbour()) << std::string(64, 's');
  make([&](Hdf5Writer& w) {
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_external(creation.get(), neighbour().c_str(), 0, 16);
    w.empty("x", H5T_NATIVE_FLOAT, {4}, creation.get());
  });
  expect_refusal("x: keeps its values in external files");
  make([&](Hdf5Writer& w) {
    const std::vector<hsize_t> four = {4};
    const Hdf5Handle space(H5Screate_simple(1, four.data(), nullptr), H5Sclose);
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_virtual(creation.get(), space.get(), neighbour().c_str(), "y", space.get());
    w.empty("x", H5T_NATIVE_FLOAT, four, creation.get());
  });
  expect_refusal("x: is a virtual data set");
}

TEST_F(ImportHdf5, OtherFiltersAndHugeChunksAreRefused) {
  make([](Hdf5Writer& w) {
    const hsize_t chunk = 4;
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(creation.get(), 1, &chunk);
    H5Pset_scaleoffset(creation.get(), H5Z_SO_INT, 0);
    w.empty("x", H5T_NATIVE_INT, {4}, creation.get());
  });
  expect_refusal("x: its compression filter is not supported");
  make([](Hdf5Writer& w) {
    const hsize_t chunk = hsize_t{1} << 28U;
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(creation.get(), 1, &chunk);
    w.empty("x", H5T_NATIVE_FLOAT, {chunk}, creation.get());
  });
  expect_refusal("x: its chunks are too large (expected at most 536870912 bytes, got 1073741824)");
}

TEST_F(ImportHdf5, AbsurdSizesAreRefusedBeforeMemoryIsTaken) {
  make([](Hdf5Writer& w) {
    const hsize_t chunk = 1024;
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(creation.get(), 1, &chunk);
    w.empty("x", H5T_NATIVE_FLOAT, {hsize_t{1} << 30U}, creation.get());
    w.empty("y", H5T_NATIVE_FLOAT, {hsize_t{1} << 40U}, creation.get());
  });
  expect_refusal("x: is too large to be read whole",
                 [](const Hdf5DatasetProxy& x) { x.read_floats(); });
  EXPECT_THROW(open("y"), InputError);
}

TEST_F(ImportHdf5, DamagedChunkIsNotRead) {
  const std::vector<float> values = counting(64);
  make([&](Hdf5Writer& w) { w.numbers("x", {64}, values, {{64}, false, false, true}); });
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const std::string needle(reinterpret_cast<const char*>(values.data()), 64);
  const std::size_t at = bytes.find(needle);
  ASSERT_NE(at, std::string::npos);
  file.clear();
  file.seekp(static_cast<std::streamoff>(at) + 9);
  file.put('!');
  file.close();
  expect_refusal("x: cannot be read", [](const Hdf5DatasetProxy& x) { x.read_floats(); });
}

TEST_F(ImportHdf5, OtherThingsThanHdf5AreNamed) {
  expect_refusal("open: No such file or directory");
  std::filesystem::create_directory(path());
  expect_refusal("open: is a folder, not a file");
  std::filesystem::remove(path());
  const auto write = [this](const std::string& text) { std::ofstream(path()) << text; };
  write("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
  expect_refusal("LFS");
  write("<!DOCTYPE html><html></html>");
  expect_refusal("HTML");
  write("hello");
  expect_refusal("file: is not an HDF5 file");
  write("");
  expect_refusal("file: is not an HDF5 file");
  make([](Hdf5Writer& w) { w.numbers<int>("x", {100}, std::vector<int>(100)); });
  std::filesystem::resize_file(path(), std::filesystem::file_size(path()) / 2);
  expect_refusal("HDF5: cannot be opened");
}

}  // namespace
}  // namespace cdt
