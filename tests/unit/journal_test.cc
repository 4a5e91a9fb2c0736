// Journals: what was whole before the writer was stopped is found again, damage is refused.
#include "io/format/journal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

const std::vector<std::string> kRecords{"first", "", std::string("third\0!", 7)};
const std::string kHeader = R"({"format": "test"})";

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

std::vector<std::string> records_of(JournalReader* reader) {
  std::vector<std::string> out;
  std::string record;
  while (reader->next(&record)) out.push_back(record);
  return out;
}

class Journal : public ::testing::Test {
 protected:
  /// Writes all records; returns the file's size after the header and after each record.
  std::vector<std::size_t> write(bool finished) {
    JournalWriter writer(file, kHeader);
    std::vector<std::size_t> sizes{std::filesystem::file_size(file)};
    for (const std::string& record : kRecords) {
      writer.append(record);
      sizes.push_back(std::filesystem::file_size(file));
    }
    if (finished) writer.finish();
    return sizes;
  }

  /// Expects a journal of which only the first bytes were written, and then `rest`, to go on after
  /// the last whole record and to become the whole. sizes: what write() returned.
  void expect_continued(const std::vector<std::size_t>& sizes, const std::string& whole,
                        std::size_t written, const std::string& rest) {
    write_bytes(file, whole.substr(0, written) + rest);
    JournalReader reader(file);
    EXPECT_FALSE(reader.is_finished());
    EXPECT_EQ(reader.has_header(), written >= sizes.front());
    std::size_t complete = 0;
    while (complete < kRecords.size() && written >= sizes[complete + 1]) ++complete;
    const std::vector<std::string> found = records_of(&reader);
    ASSERT_EQ(found.size(), complete);
    EXPECT_TRUE(std::equal(found.begin(), found.end(), kRecords.begin()));
    if (!reader.has_header()) return;
    JournalWriter writer(reader);
    for (std::size_t i = complete; i < kRecords.size(); ++i) writer.append(kRecords[i]);
    writer.finish();
    EXPECT_EQ(content_of(file), whole);
  }

  test::TempDir dir;
  std::filesystem::path file = dir.path / "journal";
};

TEST_F(Journal, ReadsBackWhatWasWritten) {
  write(true);
  JournalReader reader(file);
  ASSERT_TRUE(reader.has_header());
  EXPECT_TRUE(reader.is_finished());
  EXPECT_EQ(reader.header(), kHeader);
  EXPECT_EQ(records_of(&reader), kRecords);
  EXPECT_EQ(reader.records(), kRecords.size());
}

TEST_F(Journal, CutAnywhereItGoesOnAfterTheLastWholeRecord) {
  const std::vector<std::size_t> sizes = write(true);
  const std::string whole = content_of(file);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    expect_continued(sizes, whole, size, "");
  }
}

TEST_F(Journal, ZerosUpToTheEndAreWhatWasNeverWritten) {
  const std::vector<std::size_t> sizes = write(true);
  const std::string whole = content_of(file);
  for (std::size_t written = 0; written < sizes.back(); ++written) {
    SCOPED_TRACE(written);
    expect_continued(sizes, whole, written, std::string(70000 + whole.size() - written, '\0'));
  }
}

TEST_F(Journal, ZerosInTheMiddleAreDamage) {
  const std::vector<std::size_t> sizes = write(false);
  std::string bytes = content_of(file);
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(sizes[0]),
            bytes.begin() + static_cast<std::ptrdiff_t>(sizes[1]), '\0');
  write_bytes(file, bytes);
  JournalReader reader(file);
  EXPECT_THROW(records_of(&reader), InputError);
}

TEST_F(Journal, AFlippedBitAnywhereIsRefused) {
  for (const bool finished : {true, false}) {
    write(finished);
    const std::string whole = content_of(file);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      SCOPED_TRACE(at);
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 1);
      write_bytes(file, damaged);
      EXPECT_THROW(
          {
            JournalReader reader(file);
            records_of(&reader);
          },
          InputError);
    }
  }
}

TEST_F(Journal, AMissingOrRepeatedRecordIsRefused) {
  const std::vector<std::size_t> sizes = write(true);
  const std::string whole = content_of(file);
  const std::string second = whole.substr(sizes[1], sizes[2] - sizes[1]);
  for (const std::string& changed :
       {whole.substr(0, sizes[1]) + whole.substr(sizes[2]),
        whole.substr(0, sizes[1]) + second + whole.substr(sizes[1]), whole + second}) {
    write_bytes(file, changed);
    JournalReader reader(file);
    EXPECT_THROW(records_of(&reader), InputError);
  }
}

TEST_F(Journal, OtherFilesAreRefused) {
  write_bytes(file, "PK\x03\x04 something else");
  EXPECT_THROW(JournalReader{file}, InputError);
}

}  // namespace
}  // namespace cdt
