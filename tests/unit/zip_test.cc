// The zip reader: zip64, members as streams, bytes in memory.
#include "io/format/zip.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/zip_bytes.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::zip;
using test::zip64;

class ZipTest : public ::testing::Test {
 protected:
  ZipArchive archive(const std::string& bytes) {
    test::write_bytes(path_, bytes);
    return ZipArchive(path_);
  }
  std::string error(const std::string& bytes) {
    return input_error([&] { archive(bytes).read("a", 1000); });
  }

  test::TempDir dir_;
  std::filesystem::path path_ = dir_.path / "x.zip";
};

TEST_F(ZipTest, Zip64) {
  const std::string bytes = zip64({{"a", "first"}, {"b", std::string(5000, 'x'), 8}});
  const ZipArchive zip = archive(bytes);
  EXPECT_EQ(zip.members().size(), 2U);
  EXPECT_EQ(zip.read("a", 5), "first");
  EXPECT_EQ(zip.read("b", 5000), std::string(5000, 'x'));
  zip.expect_all_listed();
  const std::size_t end = bytes.find("PK\x06\x06");
  const auto with = [&](std::size_t at, std::uint64_t value, int size) {
    std::string out = bytes;
    return out.replace(at, static_cast<std::size_t>(size), test::number(value, size));
  };
  expect_message(error(with(end + 24, 9, 8)), path_, "archive", "not as long as it says");
  expect_message(error(with(end + 32, 3, 8)), path_, "archive", "not as long as it says");
  expect_message(error(with(end + 40, 3, 8)), path_, "archive", "not as long as it says");
  expect_message(error(with(end + 48, ~0ULL, 8)), path_, "archive", "not as long as it says");
  expect_message(error(with(end, 0, 1)), path_, "archive", "bad zip64 directory");
  expect_message(error(with(end + 56, 0, 1)), path_, "archive", "zip64 directory is missing");
  expect_message(error(with(end + 64, ~0ULL, 8)), path_, "archive", "past the end");
  expect_message(error(with(end + 64, end + 20, 8)), path_, "archive", "bad zip64 directory");
  const std::size_t field = bytes.find("PK\x01\x02") + 46 + 1;  // the first entry's extra field
  expect_message(error(with(field, 2, 2)), path_, "a", "zip64 sizes are missing");
  expect_message(error(with(field + 2, 8, 2)), path_, "a", "zip64 sizes are missing");
  expect_message(error(with(field + 4, ~0ULL, 8)), path_, "a", "impossible size");
  expect_message(error(with(field + 20, ~0ULL, 8)), path_, "archive", "past the end");
}

// Other readers count from the end of the directory, or take the last end record in the file.
TEST_F(ZipTest, DirectoriesThatAreReadInTwoWays) {
  const std::string bytes = zip({{"a", "first"}});
  const std::size_t end = bytes.find("PK\x05\x06");
  const std::string gap = bytes.substr(0, end) + "gap" + bytes.substr(end);
  expect_message(error(gap), path_, "archive", "not as long as it says");
  EXPECT_EQ(error(zip({{"a", "first"}}, "a comment with PK\x05\x06 in it")), "");
  const std::string second = zip({{"a", "first"}}, "a comment of PK\x05\x06 and 18 bytes of more");
  expect_message(error(second), path_, "archive", "the zip directory is missing");
}

TEST_F(ZipTest, StreamsInPieces) {
  std::string content;
  for (int i = 0; i < 100000; ++i) content += static_cast<char>(std::int64_t{i} * i % 251);
  for (const unsigned method : {0U, 8U}) {
    const ZipArchive zip = archive(test::zip({{"a", content, method}}));
    const std::unique_ptr<ByteStream> stream = zip.open("a");
    std::string got(content.size(), '\0');
    std::size_t at = 0;
    for (std::size_t size = 1; at < got.size(); size = size * 3 + 1) {
      at += stream->read(got.data() + at, std::min(size, got.size() - at));
    }
    EXPECT_EQ(got, content);
    char more = 0;
    EXPECT_EQ(stream->read(&more, 1), 0U);
  }
}

TEST_F(ZipTest, AStreamIsHeldToItsChecksum) {
  for (const unsigned method : {0U, 8U}) {
    const ZipArchive zip =
        archive(test::zip({{.name = "a", .content = "abcdef", .method = method, .crc_flip = 1}}));
    const std::unique_ptr<ByteStream> stream = zip.open("a");
    std::string out(6, '\0');
    EXPECT_EQ(stream->read(out.data(), 5), 5U);
    expect_message(input_error([&] { stream->read(out.data(), 1); }), path_, "a", "checksum");
  }
}

TEST_F(ZipTest, BytesInPlace) {
  const std::string bytes = zip({{"a", "abc"}, {"b", "defg", 8}});
  const ZipArchive zip = archive(bytes);
  EXPECT_EQ(zip.stored_begin("a"), bytes.find("abc"));
  expect_message(input_error([&] { zip.stored_begin("b"); }), path_, "b", "is compressed");
  expect_message(input_error([&] { zip.stored_begin("c"); }), path_, "c", "is missing");
}

TEST_F(ZipTest, EmptyMembersAndEmptyArchives) {
  for (const unsigned method : {0U, 8U})
    EXPECT_EQ(archive(zip({{"a", "", method}})).read("a", 0), "");
  EXPECT_TRUE(archive(zip({})).members().empty());
  expect_message(error(zip({})), path_, "a", "is missing");
}

}  // namespace
}  // namespace cdt
