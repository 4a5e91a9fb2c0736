// Text, numbers, lines, JSON and TSV.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/poll.h"
#include "io/format/floats.h"
#include "io/format/json.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "io/genome/locus.h"
#include "model/stats/bootstrap.h"
#include "tests/support/cpu_time.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::write_bytes;
using namespace std::string_literals;

TEST(IoNumbers, ShortestRoundTrip) {
  EXPECT_EQ(format_number(0.1F), "0.1");
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(static_cast<double>(0.1F)), "0.10000000149011612");
  EXPECT_EQ(format_number(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(format_number(-std::nan("")), "nan");
  EXPECT_EQ(json_number(std::nan("")), "null");
  float back = 0;
  ASSERT_TRUE(parse_float(format_number(1.17549449e-38F), &back));
  EXPECT_EQ(back, 1.17549449e-38F);
}

TEST(IoNumbers, ThousandsAndShapes) {
  EXPECT_EQ(format_with_commas(0), "0");
  EXPECT_EQ(format_with_commas(-999), "-999");
  EXPECT_EQ(format_with_commas(-1000), "-1,000");
  EXPECT_EQ(format_with_commas(60093752), "60,093,752");
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{}), "()");
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{5434, 896}), "(5434, 896)");
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{kAnySize, 0}), "(any, 0)");
}

TEST(IoNumbers, WholeTextOrNothing) {
  double d = 0;
  EXPECT_TRUE(parse_double("+1.5e3", &d));
  EXPECT_EQ(d, 1500.0);
  for (const char* bad : {"", " 1", "1 ", "1x", "0x10", "1,5", "+-1", "++1", "+", "1e999", "one"}) {
    EXPECT_FALSE(parse_double(bad, &d)) << bad;
  }
  float f = 1;
  EXPECT_FALSE(parse_float("1e39", &f));
  EXPECT_TRUE(parse_float("-inf", &f));
  EXPECT_TRUE(std::isinf(f));
  std::int64_t n = 0;
  EXPECT_TRUE(parse_int64("-9223372036854775808", &n));
  EXPECT_FALSE(parse_int64("9223372036854775808", &n));
  EXPECT_FALSE(parse_int64("1.0", &n));
}

TEST(IoNumbers, TooSmallRoundsTooLargeIsRefused) {
  const std::string tiny = "0." + std::string(5000, '0') + "1e+100";
  for (const std::string& text : {"1e-400"s, "-1e-99999999999"s, tiny}) {
    double d = 1;
    float f = 1;
    EXPECT_TRUE(parse_double(text, &d)) << text;
    EXPECT_TRUE(parse_float(text, &f)) << text;
    EXPECT_EQ(parse_finite(text, &d), "") << text;
    EXPECT_EQ(d, 0.0);
    EXPECT_EQ(f, 0.0F);
  }
  double d = 1;
  float f = 1;
  EXPECT_EQ(parse_finite("5e-324", &d), "");
  EXPECT_EQ(d, std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(parse_finite("1e-45", &f), "");
  EXPECT_EQ(f, std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(parse_finite("1e-60", &f), "");
  EXPECT_EQ(f, 0.0F);
  for (const std::string& text : {"1e400"s, "-1e99999999999"s, std::string(5000, '9')}) {
    EXPECT_EQ(parse_finite(text, &d), "too large") << text;
    EXPECT_EQ(parse_finite(text, &f), "too large for float32") << text;
  }
  EXPECT_EQ(parse_finite("1e39", &f), "too large for float32");
  for (const char* text : {"nan", "inf", "-Infinity"}) {
    EXPECT_EQ(parse_finite(text, &d), "not finite") << text;
  }
  for (const char* text : {"0x1p3", "1_000", "1,5", "", "NA", "1e", "--1"}) {
    EXPECT_EQ(parse_finite(text, &d), "not a number") << text;
  }
}

TEST(IoText, ForeignFilesAreNamed) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "pairs.tsv";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git-LFS pointer"},
      {"\n <!DOCTYPE HTML><html>", "HTML page"},
      {"<HTML>", "HTML page"},
      {"\x80\x04\x95"s, "pickle"},
      {"PK\x03\x04...", "zip archive"},
      {"\x1f\x8b\x08...", "gzip"},
      {"\x89HDF\r\n\x1a\n", "HDF5"},
      {"\x93NUMPY\x01", ".npy"},
  };
  for (const auto& [bytes, name] : cases) {
    write_bytes(path, bytes);
    expect_message(input_error([&] { read_text_file(path); }), path, "format", name);
  }
}

TEST(IoText, WhatCannotBeRead) {
  const test::TempDir dir;
  const auto read = [](const std::filesystem::path& path, std::size_t limit = kTextFileLimit) {
    return input_error([&] { read_text_file(path, limit); });
  };
  expect_message(read(dir.path / "none"), dir.path / "none", "open", "No such file");
  expect_message(read(dir.path), dir.path, "open", "is a folder");
  ASSERT_EQ(::mkfifo((dir.path / "pipe").c_str(), 0600), 0);
  expect_message(read(dir.path / "pipe"), dir.path / "pipe", "open", "not a regular file");
  write_bytes(dir.path / "big", "12345");
  expect_message(read(dir.path / "big", 4), dir.path / "big", "size",
                 "(expected at most 4 bytes, got 5)");
}

TEST(IoText, Lines) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "lines";
  write_bytes(path,
              "\xEF\xBB\xBF"
              "a\r\n\nlast");
  LineFile lines(path);
  std::string_view line;
  for (const char* expected : {"a", "", "last"}) {
    ASSERT_TRUE(lines.next(&line));
    EXPECT_EQ(line, expected);
  }
  EXPECT_FALSE(lines.next(&line));
  EXPECT_EQ(lines.line(), 3);

  const auto second_line = [&](const std::string& text) {
    write_bytes(path, "ok\n" + text);
    return input_error([&] {
      LineFile file(path);
      while (file.next(&line)) {
      }
    });
  };
  expect_message(second_line("a\0b\n"s), path, "line 2", "NUL");
  expect_message(second_line(std::string(1048577, 'x')), path, "line 2", "too long");
  EXPECT_EQ(second_line(std::string(1048576, 'x')), "");
}

TEST(IoText, BlankLinesAtTheEndAreNone) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "lines";
  write_bytes(path, "\n\na\n\r\n\nb\n\r\n\n");
  LineFile lines(path);
  std::string_view line;
  std::vector<std::string> read;
  while (lines.next(&line)) read.emplace_back(line);
  EXPECT_EQ(read, (std::vector<std::string>{"", "", "a", "", "", "b"}));
  EXPECT_EQ(lines.line(), 6);
  EXPECT_FALSE(lines.next(&line));
}

/// Lines that cross the borders of the pieces in which a file is read.
TEST(IoText, LinesOfEveryLength) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "lines";
  std::string text;
  for (std::size_t i = 1; i < 3000; ++i) {
    text += std::string(i, 'a' + static_cast<char>(i % 26)) + '\n';
  }
  write_bytes(path, text);
  LineFile lines(path);
  std::string_view line;
  std::string back;
  while (lines.next(&line)) back.append(line) += '\n';
  EXPECT_EQ(back, text);
}

TEST(IoText, FirstNonFinite) {
  for (const std::int64_t size : {1, 17, 4096, 4097, 9000}) {
    std::vector<float> values(static_cast<std::size_t>(size), std::numeric_limits<float>::max());
    EXPECT_EQ(first_non_finite(values.data(), size), -1);
    values.back() = -std::numeric_limits<float>::infinity();
    EXPECT_EQ(first_non_finite(values.data(), size), size - 1);
    values.front() = std::nanf("");
    EXPECT_EQ(first_non_finite(values.data(), size), 0);
  }
}

TEST(IoJson, RefusesWhatIsNotStrict) {
  const auto parse = [](const std::string& text) {
    return input_error([&] { parse_json(text, "c.json"); });
  };
  EXPECT_EQ(parse(R"({"a": [1, 2.5, "x", null, true]})"), "");
  expect_message(parse("{\"a\": 1,\n \"a\": 2}"), "c.json", "a", "twice");
  expect_message(parse("{\"x\": {\"a\": 1}, \"y\": {\"a\": 1}} tail"), "c.json",
                 "line 1, column 33", "not valid JSON");
  expect_message(parse("{\n \"a\": NaN}"), "c.json", "line 2, column 7", "not valid JSON");
  expect_message(parse("{\"a\": 1,}"), "c.json", "line 1, column 9", "not valid JSON");
  expect_message(parse(""), "c.json", "line 1, column 1", "not valid JSON");
  expect_message(parse("{\"a\": 1e999}"), "c.json", "line 1, column 11", "too large");
  EXPECT_EQ(parse("{\"a\": 1e-999}"), "");
  expect_message(parse("\"\xff\""), "c.json", "line 1, column 2", "not valid JSON");
  expect_message(parse(std::string(100000, '[')), "c.json", "JSON", "deeper");
}

TEST(IoJson, BuildsWhatIsWritten) {
  const char* text =
      R"({"a": [[], {}, [1, [2, -3]], {"b": {"c": []}, "d": 0.5}], "e": "x", "": null})";
  EXPECT_EQ(parse_json(text, "c.json"), nlohmann::json::parse(text));
  EXPECT_EQ(parse_json("7", "c.json"), nlohmann::json(7));
  EXPECT_TRUE(parse_json("18446744073709551615", "c.json").is_number_unsigned());
}

/// 16 times the text takes about 16 times as long; 256 times would be quadratic.
TEST(IoJson, TimeIsLinear) {
  const auto text_of = [](int entries, bool named) {
    std::string text;
    for (int i = 0; i < entries; ++i) {
      text += (i > 0 ? "," : "") + (named ? "\"entry." + std::to_string(i) + "\":" : ""s) +
              R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,24]})";
    }
    return named ? "{" + text + "}" : "[" + text + "]";
  };
  for (const bool named : {false, true}) {
    const std::string small = text_of(1500, named);
    const std::string large = text_of(24000, named);
    const double short_time = test::cpu_time([&] { parse_json(small, "c.json"); });
    const double long_time = test::cpu_time([&] { parse_json(large, "c.json"); });
    EXPECT_LT(long_time, 64.0 * short_time) << named;
  }
}

TEST(IoJson, SizesAreBounded) {
  std::string many = "[0";
  for (int i = 0; i < (1 << 23); ++i) many += ",0";
  expect_message(input_error([&] { parse_json(many + "]", "c.json"); }), "c.json", "JSON",
                 "more than 8388608 values");
  const std::string text = "\"" + std::string((1 << 24) + 1, 'x') + "\"";
  expect_message(input_error([&] { parse_json(text, "c.json"); }), "c.json", "JSON", "string of");
  expect_message(input_error([&] { parse_json("{" + text + ":1}", "c.json"); }), "c.json", "JSON",
                 "string of");
}

struct Stopped {};

/// A poll that throws the third time it is called.
TEST(IoPoll, LongWorkStopsBetweenPieces) {
  static int asked = 0;
  const test::TempDir dir;
  const std::string text(std::size_t{1} << 20U, '\n');
  write_bytes(dir.path / "t", text + "end");
  std::string numbers = "[0";
  for (int i = 0; i < 20000; ++i) numbers += ",0";
  const auto expect_stop = [](const auto& read) {
    asked = 0;
    set_poll([] {
      if (++asked == 3) throw Stopped();
    });
    EXPECT_THROW(read(), Stopped);
    set_poll(nullptr);
  };
  expect_stop([&] {
    LineFile lines(dir.path / "t");
    std::string_view line;
    while (lines.next(&line)) {
    }
  });
  expect_stop([&] { parse_json(numbers + "]", "c.json"); });
  expect_stop([] {
    bootstrap_mean(std::vector<double>{1, 2}, std::vector<std::int32_t>{0, 1},
                   {.replicates = 1000});
  });
}

TEST(IoJson, ReaderNamesTheField) {
  const nlohmann::json document = parse_json(
      R"({"s": "x", "i": 3, "f": 3.0, "big": 18446744073709551615, "b": true,
          "list": [1, 2], "mixed": [1, "2"], "o": {"inner": 1, "odd": 2}})",
      "c.json");
  JsonReader reader(document, "c.json");
  EXPECT_EQ(reader.string("s"), "x");
  EXPECT_EQ(reader.integer("i", 0, 3), 3);
  EXPECT_EQ(reader.number("f"), 3.0);
  EXPECT_TRUE(reader.boolean("b"));
  EXPECT_EQ(reader.integers("list"), (std::vector<std::int64_t>{1, 2}));
  expect_message(input_error([&] { reader.string("none"); }), "c.json", "none", "missing");
  expect_message(input_error([&] { reader.string("i"); }), "c.json", "i",
                 "expected a string, got 3");
  expect_message(input_error([&] { reader.integer("f"); }), "c.json", "f", "an integer");
  expect_message(input_error([&] { reader.integer("b"); }), "c.json", "b", "an integer");
  expect_message(input_error([&] { reader.integer("big"); }), "c.json", "big", "out of range");
  expect_message(input_error([&] { reader.integer("i", 4, 9); }), "c.json", "i",
                 "expected 4 to 9, got 3");
  expect_message(input_error([&] { reader.number("s"); }), "c.json", "s", "a number");
  expect_message(input_error([&] { reader.boolean("i"); }), "c.json", "i", "true or false");
  expect_message(input_error([&] { reader.integers("mixed"); }), "c.json", "mixed", "integers");
  expect_message(input_error([&] { reader.object("s"); }), "c.json", "s", "an object");
  JsonReader inner = reader.object("o");
  EXPECT_EQ(inner.integer("inner"), 1);
  expect_message(input_error([&] { inner.no_other_keys(); }), "c.json", "o.odd", "unknown key");
  EXPECT_EQ(input_error([&] { reader.no_other_keys(); }), "");
  const nlohmann::json list = parse_json("[]", "c.json");
  expect_message(input_error([&] { JsonReader(list, "c.json"); }), "c.json", "JSON", "an object");
}

TEST(IoTsv, ColumnsByName) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "t.tsv";
  write_bytes(path, "extra\tb\ta\nx\t\t2\ny\t3\t4");
  TsvFile tsv(path, {"a", "b"}, {"c"});
  EXPECT_FALSE(tsv.has(2));
  ASSERT_TRUE(tsv.next());
  EXPECT_EQ(tsv.field(0), "2");
  EXPECT_EQ(tsv.field(1), "");
  ASSERT_TRUE(tsv.next());
  EXPECT_EQ(tsv.field(1), "3");
  EXPECT_EQ(tsv.line(), 3);
  expect_message(input_error([&] { tsv.fail(0, "bad"); }), path, "line 3, column a", "bad");
  EXPECT_FALSE(tsv.next());
}

TEST(IoTsv, Malformed) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "t.tsv";
  const auto read = [&](const std::string& text) {
    write_bytes(path, text);
    return input_error([&] {
      TsvFile tsv(path, {"a", "b"});
      while (tsv.next()) {
      }
    });
  };
  expect_message(read(""), path, "line 1", "header");
  expect_message(read("a\tx\n"), path, "line 1, column b", "missing");
  expect_message(read("a\tb\ta\n"), path, "line 1, column a", "twice");
  expect_message(read("a\tb\n1\t2\n1\n"), path, "line 3", "expected 2, got 1");
  expect_message(read("a\tb\n1\t2\t3\n"), path, "line 2", "expected 2, got 3");
  expect_message(read("a\tb\n\n1\t2\n"), path, "line 2", "expected 2, got 1");
  expect_message(read("a\tb\n1\t\0\n"s), path, "line 2", "NUL");
}

}  // namespace
}  // namespace cdt
