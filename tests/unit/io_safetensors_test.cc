// safetensors: round trip, exact bytes, and every way in which a file can be wrong.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "io/format/safetensors.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::read_bytes;
using test::write_bytes;

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + rest;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return with_length(header.size(), header + std::string(data_bytes, '\0'));
}

TEST(IoSafetensors, RoundTrip) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "m.safetensors";
  const std::vector<float> weight{1.0F, -2.5F, std::nanf(""), 4.0F, 0.0F, 1e-45F};
  const float scalar = 7.0F;
  write_safetensors(
      path,
      {{"z.weight", {2, 3}, weight.data()}, {"scalar", {}, &scalar}, {"empty", {0, 4}, nullptr}},
      {{"format", "cdt-checkpoint"}, {"config", "{\"a\": \"\\\"\"}"}});
  const SafetensorsReader reader(path);
  ASSERT_EQ(reader.tensors().size(), 3U);
  EXPECT_EQ(reader.tensors()[0].name, "z.weight");
  EXPECT_EQ(reader.info("z.weight").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(reader.metadata().at("config"), "{\"a\": \"\\\"\"}");
  std::vector<float> back(6);
  reader.read("z.weight", back.data());
  for (std::size_t i = 0; i < back.size(); ++i) {  // compares bits, NaN included
    EXPECT_EQ(std::bit_cast<std::uint32_t>(back[i]), std::bit_cast<std::uint32_t>(weight[i])) << i;
  }
  float one = 0;
  reader.read("scalar", &one);
  EXPECT_EQ(one, 7.0F);
  EXPECT_TRUE(reader.has("empty"));
  EXPECT_FALSE(reader.has("none"));
  expect_message(input_error([&] { reader.read("none", &one); }), path, "none", "missing");
}

TEST(IoSafetensors, WritesTheDocumentedBytes) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "m.safetensors";
  const std::vector<float> values{1.0F, 2.0F};
  write_safetensors(path, {{"w", {2}, values.data()}}, {});
  std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string data("\0\0\x80\x3f\0\0\0\x40", 8);
  EXPECT_EQ(read_bytes(path), with_length(header.size(), header + data));
}

TEST(IoSafetensors, OtherDtypesAreRefusedByNameWhenRead) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "m.safetensors";
  write_bytes(path, file_of(R"({"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})", 8));
  const SafetensorsReader reader(path);
  EXPECT_EQ(reader.info("n").dtype, "I64");
  float value = 0;
  expect_message(input_error([&] { reader.read("n", &value); }), path, "n",
                 "expected F32, F16, BF16 or F64, got I64");
}

/// A file with one tensor "w" whose values are these bytes.
std::string tensor_file(const std::string& dtype, std::size_t count, const std::string& bytes) {
  const std::string header = R"({"w":{"dtype":")" + dtype + R"(","shape":[)" +
                             std::to_string(count) + R"(],"data_offsets":[0,)" +
                             std::to_string(bytes.size()) + "]}}";
  return with_length(header.size(), header + bytes);
}

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

TEST(IoSafetensors, OtherFloatsAreReadAsFloat32) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "m.safetensors";
  const auto read = [&](const std::string& dtype, std::size_t count, const std::string& bytes) {
    write_bytes(path, tensor_file(dtype, count, bytes));
    std::vector<float> out(count);
    SafetensorsReader(path).read("w", out.data());
    return out;
  };
  // 1, -2, the largest, the smallest normal, the smallest subnormal, -0, infinity.
  const std::vector<float> half = read(
      "F16", 7, bytes_of<std::uint16_t>({0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x8000, 0x7C00}));
  EXPECT_EQ(half, (std::vector<float>{1.0F, -2.0F, 65504.0F, 0x1p-14F, 0x1p-24F, 0.0F, INFINITY}));
  EXPECT_TRUE(std::signbit(half[5]));
  EXPECT_TRUE(std::isnan(read("F16", 1, bytes_of<std::uint16_t>({0x7E00}))[0]));
  EXPECT_EQ(read("BF16", 2, bytes_of<std::uint16_t>({0x3F80, 0xC0A0})),
            (std::vector<float>{1.0F, -5.0F}));
  EXPECT_EQ(read("F64", 3, bytes_of<double>({0.1, -3.0, 1e-60})),
            (std::vector<float>{0.1F, -3.0F, 0.0F}));
  expect_message(input_error([&] {
                   read("F64", 2, bytes_of<double>({1.0, 1e39}));
                 }),
                 path, "w", "1e+39 is too large for float32");
}

struct Malformed {
  const char* name;
  std::string bytes;
  const char* field;
  const char* what;
};

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"w\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}}";
}

std::string two(const std::string& first, const std::string& second) {
  return R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)" + first +
         R"(},"b":{"dtype":"F32","shape":[2],"data_offsets":)" + second + "}}";
}

std::vector<Malformed> malformed_files() {
  const std::string f32 = "\"F32\"";
  return {
      {"empty file", "", "header", "too short"},
      {"seven bytes", "1234567", "header", "too short"},
      {"length past the end", with_length(100, "{}"), "header", "at most 2 bytes, got 100"},
      {"huge length", with_length(~std::uint64_t{0}, "{}"), "header", "at most 2 bytes"},
      {"no header", with_length(0, ""), "header", "start with '{'"},
      {"not an object", file_of("[]", 0), "header", "start with '{'"},
      {"leading blank", file_of(" {}", 0), "header", "start with '{'"},
      {"bad JSON", file_of("{\"w\"", 0), "line 1, column 5", "not valid JSON"},
      {"trailing text", file_of("{}x", 0), "line 1, column 3", "not valid JSON"},
      {"LFS pointer", "version https://git-lfs.github.com/spec/v1\n", "format", "Git-LFS"},
      {"pickled checkpoint", "PK\x03\x04 and so on", "format", "zip"},
      {"plain pickle", "\x80\x02}q\x01. and so on", "format", "pickle"},
      {"HTML", "<!DOCTYPE html><html></html>", "format", "HTML"},
      {"HDF5", "\x89HDF\r\n\x1a\n and so on", "format", "HDF5"},
      {"twice the same name",
       file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
               R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
               4),
       "w", "twice"},
      {"metadata not strings", file_of(R"({"__metadata__":{"epoch":3}})", 0), "__metadata__.epoch",
       "a string"},
      {"metadata no object", file_of(R"({"__metadata__":"x"})", 0), "__metadata__", "an object"},
      {"entry no object", file_of(R"({"w":3})", 0), "w", "an object"},
      {"missing dtype", file_of(R"({"w":{"shape":[1],"data_offsets":[0,4]}})", 4), "w.dtype",
       "missing"},
      {"unknown dtype", file_of(one("\"F33\"", "[1]", "[0,4]"), 4), "w.dtype", "F33"},
      {"extra key", file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4),
       "w.x", "unknown key"},
      {"negative dimension", file_of(one(f32, "[-1]", "[0,4]"), 4), "w.shape", "negative"},
      {"fractional dimension", file_of(one(f32, "[1.0]", "[0,4]"), 4), "w.shape", "integers"},
      {"dimension over 64 bits", file_of(one(f32, "[18446744073709551615]", "[0,4]"), 4), "w.shape",
       "integers"},
      {"product overflows", file_of(one(f32, "[4294967296,4294967296]", "[0,4]"), 4), "w.shape",
       "overflows"},
      {"size differs from shape", file_of(one(f32, "[3]", "[0,8]"), 8), "w.data_offsets",
       "expected 12, got 8"},
      {"backward range", file_of(one(f32, "[1]", "[4,0]"), 4), "w.data_offsets", "bad range"},
      {"negative begin", file_of(one(f32, "[1]", "[-4,0]"), 4), "w.data_offsets", "bad range"},
      {"three offsets", file_of(one(f32, "[1]", "[0,4,8]"), 8), "w.data_offsets", "bad range"},
      {"past the buffer", file_of(one(f32, "[2]", "[0,8]"), 4), "size", "expected 8, got 4"},
      {"bytes left over", file_of(one(f32, "[1]", "[0,4]"), 5), "size", "expected 4, got 5"},
      {"data without tensors", file_of("{}", 4), "size", "expected 0, got 4"},
      {"hole at the start", file_of(one(f32, "[1]", "[4,8]"), 8), "w.data_offsets", "begin 0"},
      {"hole", file_of(two("[0,8]", "[12,20]"), 20), "b.data_offsets", "begin 8, got 12"},
      {"overlap", file_of(two("[0,8]", "[4,12]"), 12), "b.data_offsets", "begin 8, got 4"},
      {"same bytes twice", file_of(two("[0,8]", "[0,8]"), 8), "b.data_offsets", "begin 8, got 0"},
  };
}

TEST(IoSafetensors, MalformedFilesNameFileAndField) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "m.safetensors";
  for (const Malformed& c : malformed_files()) {
    SCOPED_TRACE(c.name);
    write_bytes(path, c.bytes);
    expect_message(input_error([&] { const SafetensorsReader reader(path); }), path, c.field,
                   c.what);
  }
}

/// Any truncation of a good file is refused: no length reads past the end.
TEST(IoSafetensors, EveryTruncationIsRefused) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "m.safetensors";
  const std::vector<float> values(3, 1.0F);
  write_safetensors(path, {{"w", {3}, values.data()}}, {{"k", "v"}});
  const std::string whole = read_bytes(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_bytes(path, whole.substr(0, size));
    EXPECT_NE(input_error([&] { const SafetensorsReader reader(path); }), "") << size;
  }
}

}  // namespace
}  // namespace cdt
