// npy files written, npz files read; the archives are made here, byte by byte.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/format/npy.h"
#include "io/format/npz.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/zip_bytes.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::number;
using test::read_bytes;
using test::write_bytes;
using test::zip;
using namespace std::string_literals;

constexpr std::size_t kLimit = 1U << 20U;

std::string npy(const std::string& header, const std::string& data, char version = 1) {
  return "\x93NUMPY"s + version + '\0' + number(header.size(), version == 1 ? 2 : 4) + header +
         data;
}

std::string dict(const std::string& descr, const std::string& shape,
                 const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

const std::string kTwoInts = npy(dict("<i8", "(2,)"), number(5, 8) + number(~0ULL, 8));

class IoNpz : public ::testing::Test {
 protected:
  NpyIntegers read(const std::string& bytes, std::size_t limit = kLimit) {
    write_bytes(path_, bytes);
    return read_npz_integers(path_, "a", limit);
  }
  std::string error(const std::string& bytes, std::size_t limit = kLimit) {
    return input_error([&] { read(bytes, limit); });
  }

  test::TempDir dir_;
  std::filesystem::path path_ = dir_.path / "map.npz";
};

TEST_F(IoNpz, ReadsStoredAndDeflated) {
  for (const unsigned method : {0U, 8U}) {
    const NpyIntegers array = read(zip({{"a.npy", kTwoInts, method}}, "a comment"));
    EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2}));
    EXPECT_EQ(array.values, (std::vector<std::int64_t>{5, -1}));
  }
  const std::string none =
      npy("{\"shape\":(2,0),\"fortran_order\":False,\"descr\":\"<i4\"}", "", 2);
  EXPECT_EQ(read(zip({{"a.npy", none}})).shape, (std::vector<std::int64_t>{2, 0}));
}

TEST_F(IoNpz, WholeNumbersOfAnyType) {
  const auto values = [&](const std::string& descr, const std::string& data) {
    const std::string shape = "(" + std::to_string(data.size() / (descr[2] - '0')) + ",)";
    return read(zip({{"a.npy", npy(dict(descr, shape), data)}})).values;
  };
  using Values = std::vector<std::int64_t>;
  EXPECT_EQ(values("|b1", "\0\1"s), (Values{0, 1}));
  EXPECT_EQ(values("|i1", "\xff\x7f"s), (Values{-1, 127}));
  EXPECT_EQ(values("|u1", "\xff\x7f"s), (Values{255, 127}));
  EXPECT_EQ(values("<i2", "\xfe\xff"s), Values{-2});
  EXPECT_EQ(values(">i2", "\xff\xfe"s), Values{-2});
  EXPECT_EQ(values(">u4", "\xff\0\0\1"s), Values{0xFF000001});
  EXPECT_EQ(values("<u8", number(INT64_MAX, 8)), Values{INT64_MAX});
  EXPECT_EQ(values("<f2", number(0x4500, 2)), Values{5});
  EXPECT_EQ(values("<f4", number(0xc0400000, 4)), Values{-3});
  EXPECT_EQ(values(">f8", "\x40\x14\0\0\0\0\0\0"s), Values{5});
  EXPECT_EQ(values("<f8", number(0x4340000000000000, 8)), Values{std::int64_t{1} << 53U});
  const auto refused = [&](const std::string& descr, const std::string& data, const char* got) {
    expect_message(input_error([&] { values(descr, data); }), path_, "a.npy, value 1", got);
  };
  refused("<u8", number(1, 8) + number(~0ULL, 8), "got 18446744073709551615");
  refused("<f4", number(0, 4) + number(0x3fc00000, 4), "got 1.5");
  refused("<f8", number(0, 8) + number(0x7ff8000000000000, 8), "got nan");
  refused("<f8", number(0, 8) + number(0x4340000000000001, 8), "got 9007199254740994");
}

TEST_F(IoNpz, FortranOrderIsTurned) {
  const std::string columns = "\1\2\3\4\5\6"s;  // column by column, of [[1, 4], [2, 5], [3, 6]]
  const NpyIntegers array = read(zip({{"a.npy", npy(dict("|u1", "(3, 2)", "True"), columns)}}));
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(array.values, (std::vector<std::int64_t>{1, 4, 2, 5, 3, 6}));
}

/// Text, objects, a decompression bomb, damage: all are refused.
TEST_F(IoNpz, OtherMembersMayHoldAnything) {
  const std::string zeros(500000, '\0');
  const std::string whole = zip({{"README.txt", "text"},
                                 {"names.npy", npy(dict("|O", "(1,)"), "pickle")},
                                 {"a.npy", kTwoInts, 8},
                                 {"large.npy", zeros, 8},
                                 {.name = "odd.npy", .content = "x", .method = 12},
                                 {.name = "secret.npy", .content = "x", .flags = 1},
                                 {.name = "bad.npy", .content = "x", .crc_flip = 1}});
  EXPECT_EQ(read(whole, 1000).values.size(), 2U);
  expect_message(error(zip({{"b.npy", kTwoInts}})), path_, "a", "is missing");
}

TEST_F(IoNpz, ADirectoryThatLeavesMembersOutIsRefused) {
  const std::string both = zip({{"a.npy", kTwoInts}, {"b.npy", kTwoInts}});
  const std::string alone = zip({{"a.npy", kTwoInts}});
  const std::size_t directory = both.find("PK\x01\x02");
  std::string body = both.substr(0, directory);  // two members, of which the directory lists one
  std::string end = alone.substr(alone.find("PK\x01\x02"));
  end.replace(end.find("PK\x05\x06") + 16, 4, number(directory, 4));
  expect_message(error(body + end), path_, "archive", "does not list all");
  std::string counted = both;
  counted[counted.rfind("PK\x05\x06") + 8] = 1;
  counted[counted.rfind("PK\x05\x06") + 10] = 1;
  expect_message(error(counted), path_, "archive", "not as long as it says");
}

TEST_F(IoNpz, DamagedArchives) {
  const auto archive = [&](const test::ZipEntry& m) { return error(zip({m})); };
  expect_message(error(""), path_, "archive", "not a zip");
  expect_message(error("version https://git-lfs.github.com/spec/v1\n"), path_, "format", "Git-LFS");
  expect_message(error(kTwoInts), path_, "format", ".npy");
  expect_message(error("PK\x03\x04"), path_, "archive", "cut short");
  expect_message(archive({.name = "a.npy", .content = kTwoInts, .crc_flip = 1}), path_, "a.npy",
                 "checksum");
  expect_message(archive({.name = "a.npy", .content = kTwoInts, .flags = 1}), path_, "a.npy",
                 "encrypted");
  expect_message(archive({.name = "a.npy", .content = kTwoInts, .method = 12}), path_, "a.npy",
                 "compression method");
  expect_message(archive({.name = "a.npy", .content = kTwoInts, .method = 8, .unpacked = 50}),
                 path_, "a.npy", "bad compressed data");
  expect_message(archive({.name = "a.npy", .content = kTwoInts, .unpacked = 5}), path_, "a.npy",
                 "impossible size");
  expect_message(archive({.name = "a.npy", .content = kTwoInts, .unpacked = 9000, .packed = 9000}),
                 path_, "archive", "past the end");
  expect_message(
      archive({.name = "a.npy", .content = kTwoInts, .method = 8, .unpacked = 0xFFFFFFFF}), path_,
      "a.npy", "zip64");
  expect_message(archive({.name = "a.npy", .content = kTwoInts, .local_name = "b.npy"}), path_,
                 "a.npy", "differ");
  expect_message(archive({.name = "a.npy", .content = kTwoInts, .local_offset = 3}), path_, "a.npy",
                 "bad local header");
  expect_message(archive({.name = "a.npy", .content = kTwoInts, .local_offset = 1 << 30}), path_,
                 "archive", "past the end");
  expect_message(error(zip({{"a.npy", kTwoInts}, {"a.npy", kTwoInts}})), path_, "a.npy", "twice");
}

TEST_F(IoNpz, BombsAreRefusedBeforeUnpacking) {
  const std::string zeros(500000, '\0');
  expect_message(error(zip({{"a.npy", zeros, 8}}), 1000), path_, "a.npy",
                 "at most 1000 bytes, got 500000");
  expect_message(error(zip({{"a.npy", kTwoInts, 8, 0, 0, 1000000}})), path_, "a.npy",
                 "impossible size");
}

TEST_F(IoNpz, BadArrays) {
  const std::string data = number(1, 8);
  const auto array = [&](const std::string& bytes) { return error(zip({{"a.npy", bytes}})); };
  const auto refuse = [&](const std::string& bytes, const char* what) {
    SCOPED_TRACE(what);
    expect_message(array(bytes), path_, "a.npy", what);
  };
  refuse("not an array", "not an npy array");
  refuse(npy(dict("<i8", "(1,)"), data, 4), "npy version");
  refuse(npy(dict("<i8", "(1,)"), data).substr(0, 30), "header is cut short");
  refuse("\x93NUMPY\x02\0\x01"s, "not an npy array");
  refuse("\x93NUMPY\x02\0\x01\0"s, "header is cut short");
  refuse(npy(dict("|O", "(1,)"), data), "got |O");
  refuse(npy(dict("<c8", "(1,)"), data), "got <c8");
  refuse(npy(dict("<f16", "(1,)"), data), "got <f16");
  refuse(npy(dict("<U3", "(1,)"), data), "got <U3");
  refuse(npy(dict("<i8", "(1,)", "Maybe"), data), "bad npy header");
  refuse(npy(dict("<i8", "(2,)"), data), "expected 16, got 8");
  refuse(npy(dict("<i8", "(1,)"), data + "x"), "expected 8, got 9");
  refuse(npy(dict("<i8", "(4294967296, 4294967296)"), data), "overflows");
  refuse(npy(dict("<i8", "(-1,)"), data), "shape");
  refuse(npy(dict("<i8", "(1.0,)"), data), "shape");
  refuse(npy(dict("<i8", "(1 1)"), data), "shape");
  refuse(npy("{'descr': [('x', '<i8')], 'fortran_order': False, 'shape': (1,), }", data),
         "structured");
  refuse(npy("{'descr': '<i8', 'fortran_order': False}", data), "bad npy header");
  refuse(npy("{'descr': '<i8', 'descr': '<i8', 'fortran_order': False, 'shape': (1,)}", data),
         "unexpected key");
  refuse(npy("{'descr': '<i8", data), "bad npy header");
  refuse(npy(dict("<i8", "(1,)") + "x", data), "bad npy header");
  refuse(npy("", data), "bad npy header");
}

TEST_F(IoNpz, EveryTruncationIsRefused) {
  const std::string whole = zip({{"a.npy", kTwoInts, 0}, {"b.npy", kTwoInts, 8}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(error(whole.substr(0, size)), "") << size;
  }
}

/// Flipping any byte either fails cleanly or leaves arrays of the claimed shapes.
TEST_F(IoNpz, EveryByteFlipIsSafe) {
  const std::string whole = zip({{"a.npy", kTwoInts, 0}, {"b.npy", kTwoInts, 8}});
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x41);
    write_bytes(path_, bytes);
    try {
      EXPECT_EQ(read_npz_integers(path_, "a", kLimit).values.size(), 2U) << i;
    } catch (const InputError&) {
    }
  }
}

TEST(IoNpy, WritesWhatNumPyWrites) {
  const test::TempDir dir;
  const auto written = [&](const std::vector<std::int64_t>& shape, std::int64_t count) {
    const std::vector<float> values(static_cast<std::size_t>(count), 1.0F);
    NpyWriter writer(dir.path / "a.npy", shape);
    writer.append(values.data(), count / 2);
    writer.append(values.data(), count - count / 2);
    writer.commit();
    return read_bytes(dir.path / "a.npy");
  };
  const auto expected = [](const std::string& shape, std::int64_t count) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
    header.resize(128 - 10 - 1, ' ');
    std::string data;
    for (std::int64_t i = 0; i < count; ++i) data += number(0x3f800000, 4);
    return npy(header + "\n", data);
  };
  EXPECT_EQ(written({3, 2}, 6), expected("(3, 2)", 6));
  EXPECT_EQ(written({5}, 5), expected("(5,)", 5));
  EXPECT_EQ(written({}, 1), expected("()", 1));
  EXPECT_EQ(written({0, 896}, 0), expected("(0, 896)", 0));
}

TEST(IoNpy, CountsItsValues) {
  const test::TempDir dir;
  const std::vector<float> values(4, 1.0F);
  NpyWriter writer(dir.path / "a.npy", {3});
  EXPECT_THROW(writer.append(values.data(), 4), Error);
  writer.append(values.data(), 2);
  EXPECT_THROW(writer.commit(), Error);
  EXPECT_FALSE(std::filesystem::exists(dir.path / "a.npy"));
}

TEST(NpyFileTest, ReadsWhatTheWriterWroteByRows) {
  const test::TempDir dir;
  NpyWriter writer(dir.path / "a.npy", {2, 3});
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  writer.append(values.data(), 6);
  writer.commit();
  const NpyFile file(dir.path / "a.npy");
  EXPECT_EQ(file.shape(), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.row(0), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(file.row(1), (std::vector<float>{4, 5, 6}));
  EXPECT_THROW(file.row(2), Error);
  expect_message(input_error([&] {
                   file.expect_shape({2, 4});
                 }),
                 file.path(), "shape", "expected (2, 4), got (2, 3)");
}

TEST(NpyFileTest, RefusesWhatItCannotRead) {
  const test::TempDir dir;
  const auto path = dir.path / "a.npy";
  const auto refused = [&](const std::string& content, const std::string& field,
                           const std::string& what) {
    write_bytes(path, content);
    expect_message(input_error([&] { (void)NpyFile(path).row(0); }), path, field, what);
  };
  refused("", "array", "not an npy array");
  refused(npy(dict("<f8", "(1,)"), std::string(8, '\0')), "array", "expected <f4, got <f8");
  refused(npy(dict("<f4", "(1, 1)", "True"), std::string(4, '\0')), "array", "Fortran");
  refused(npy(dict("<f4", "(2,)"), std::string(4, '\0')), "array", "expected 8, got 4");
  refused(npy(dict("<f4", "()"), std::string(4, '\0')), "shape", "no array");
  refused(npy(dict("<f4", "(1, 2)"), "\0\0\0\0\0\0\xC0\x7F"s), "row 0", "value 1 is not finite");
}

}  // namespace
}  // namespace cdt
