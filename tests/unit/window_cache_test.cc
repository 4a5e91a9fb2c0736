// The cache of DNA windows on a local disk (io/dataset/window_cache.h): what is kept is what was
// read, within the bound, of this version of the file, whatever other processes do or leave behind.
#include "io/dataset/window_cache.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/dataset/window_blob.h"
#include "io/format/output.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::input_error;
using test::read_bytes;
using test::write_bytes;

constexpr std::int64_t kWindows = 5;
constexpr std::size_t kBytes = 48;       // of a window
constexpr std::uint64_t kOnDisk = 4096;  // of its copy

class WindowCacheTest : public testing::Test {
 protected:
  WindowCacheTest() { write_blob("dna.f32", 'a'); }

  fs::path write_blob(const std::string& name, char first) const {
    std::string bytes;
    for (std::int64_t i = 0; i < kWindows; ++i) bytes += window(i, first);
    write_bytes(dir.path / name, bytes);
    return dir.path / name;
  }
  static std::string window(std::int64_t i, char first = 'a') {
    return std::string(kBytes, static_cast<char>(first + i));
  }
  std::unique_ptr<WindowCache> open(std::uint64_t bytes = 0, const std::string& blob = "dna.f32") {
    ::testing::internal::CaptureStderr();
    auto out = std::make_unique<WindowCache>(CachePlace{folder, bytes}, InputFile(dir.path / blob),
                                             kWindows, kBytes);
    said += ::testing::internal::GetCapturedStderr();
    return out;
  }
  /// Keeps all windows.
  static void fill(WindowCache* cache, char first = 'a') {
    for (std::int64_t i = 0; i < kWindows; ++i) cache->keep(i, window(i, first).data());
  }
  /// The windows that the cache has, after checking what they hold.
  static std::vector<std::int64_t> held(WindowCache* cache, char first = 'a') {
    std::vector<std::int64_t> out;
    for (std::int64_t i = 0; i < kWindows; ++i) {
      std::string got(kBytes, '?');
      if (!cache->read(i, got.data())) continue;
      EXPECT_EQ(got, window(i, first));
      out.push_back(i);
    }
    return out;
  }
  /// Names in the folder and its subfolders that end like this.
  std::vector<fs::path> files(const std::string& end) const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().filename().string().ends_with(end)) out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  /// Runs it in a process of its own, which ends with _exit(0); returns its status.
  template <class Action>
  static int in_child(Action&& action) {
    const pid_t child = fork();
    if (child == 0) {
      action();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }

  using Held = std::vector<std::int64_t>;
  test::TempDir dir;
  fs::path folder = dir.path / "new" / "cache";
  std::string said;
};

TEST_F(WindowCacheTest, WhatWasKeptIsThereNowAndLater) {
  auto cache = open();
  EXPECT_EQ(held(&*cache), Held());
  cache->keep(3, window(3).data());
  EXPECT_EQ(held(&*cache), Held({3}));
  cache->keep(0, window(0).data());
  cache.reset();
  cache = open();
  EXPECT_EQ(held(&*cache), Held({0, 3}));
  EXPECT_EQ(files(".part").size(), 2U);
  EXPECT_EQ(said, "");
}

TEST_F(WindowCacheTest, TheBoundHoldsAndALaterSmallerOneToo) {
  auto cache = open(3 * kOnDisk + 100);
  EXPECT_NE(said.find("has room for 3 of 5 windows of "), std::string::npos) << said;
  fill(&*cache);
  EXPECT_EQ(held(&*cache), Held({0, 1, 2}));
  cache.reset();
  cache = open(2 * kOnDisk);
  EXPECT_EQ(held(&*cache), Held({0, 1}));
  EXPECT_EQ(files(".part").size(), 2U);
  cache.reset();
  cache = open(kOnDisk - 1);
  EXPECT_EQ(held(&*cache), Held());
}

TEST_F(WindowCacheTest, RoomIsMadeWhereNobodyReads) {
  const std::uint64_t bound = 8 * kOnDisk;  // 5 windows of the first, its cache.json, and 2 more
  write_blob("other.f32", 'k');
  auto first = open(bound);
  fill(&*first);
  {
    auto second = open(bound, "other.f32");  // what the first may write is not to be had
    fill(&*second, 'k');
    EXPECT_EQ(held(&*second, 'k'), Held({0, 1}));
    EXPECT_EQ(held(&*first), Held({0, 1, 2, 3, 4}));
  }
  first.reset();
  auto second = open(bound, "other.f32");
  fill(&*second, 'k');
  EXPECT_EQ(held(&*second, 'k'), Held({0, 1, 2, 3, 4}));
  EXPECT_EQ(files(".part").size(), 5U);
  EXPECT_EQ(files("cache.json").size(), 1U);
}

TEST_F(WindowCacheTest, ADamagedCopyIsReportedAndRemoved) {
  auto cache = open();
  fill(&*cache);
  const fs::path part = files("2.part").front();
  const std::string whole = read_bytes(part);
  std::vector<std::string> damages{whole.substr(0, whole.size() - 1), whole + "x", "",
                                   read_bytes(files("1.part").front())};
  for (std::size_t at = 0; at < whole.size(); ++at) {
    damages.push_back(whole);
    damages.back()[at] = static_cast<char>(damages.back()[at] ^ 4);
  }
  for (const std::string& damage : damages) {
    write_bytes(part, damage);
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(held(&*cache), Held({0, 1, 3, 4}));
    said += ::testing::internal::GetCapturedStderr();
    EXPECT_FALSE(fs::exists(part));
  }
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;  // each message once
  EXPECT_NE(said.find("2.part: is damaged; window 2 is read from "), std::string::npos) << said;
  cache->keep(2, window(2).data());
  EXPECT_EQ(held(&*cache), Held({0, 1, 2, 3, 4}));
}

TEST_F(WindowCacheTest, CopiesOfAnotherVersionOfTheFileAreNotUsed) {
  const fs::path blob = dir.path / "dna.f32";
  const std::string before = InputFile(blob).version();
  const fs::file_time_type time = fs::last_write_time(blob);
  auto cache = open();
  fill(&*cache);
  // The clock of a file system may advance in steps.
  do {
    write_blob("dna.f32", 'n');
    fs::last_write_time(blob, time);  // as a copy that keeps times does
  } while (InputFile(blob).version() == before);
  EXPECT_EQ(fs::last_write_time(blob), time);
  cache.reset();
  cache = open();
  EXPECT_EQ(held(&*cache, 'n'), Held());
  fill(&*cache, 'n');
  EXPECT_EQ(held(&*cache, 'n'), Held({0, 1, 2, 3, 4}));
}

TEST_F(WindowCacheTest, ProcessesAtOnceReadTheSameRows) {
  const fs::path data_dir = dir.path / "data";
  test::write_small_dataset(data_dir, {{Split::kTrain, 0, 0, 0.5F, -1}}, 0,
                            test::SmallRna::kDistinct, true);
  const Dataset plain(data_dir);
  const auto rows_are_equal = [&] {
    Dataset cached(data_dir);
    cached.cache_dna({folder, 0});
    std::vector<float> expected(12);
    std::vector<float> got(12);
    for (int round = 0; round < 20; ++round) {
      for (std::int32_t i = 0; i < 5; ++i) {
        plain.read_dna(i, expected.data());
        cached.read_dna(i, got.data());
        if (got != expected) _exit(1);
        plain.read_dna_gene(i % 3, expected.data());
        cached.read_dna_gene(i % 3, got.data());
        if (got != expected) _exit(2);
      }
    }
  };
  std::vector<pid_t> children(4);
  for (pid_t& child : children) {
    child = fork();
    if (child == 0) {
      rows_are_equal();
      _exit(0);
    }
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(files(".part").size(), 8U);  // of 5 enhancers and 3 genes
  EXPECT_EQ(files("cache.json").size(), 2U);
}

TEST_F(WindowCacheTest, NarrowValuesAreWidenedAfterTheCache) {
  const WindowBlob::Shape shape{kWindows, 4, 6, true};  // 48 bytes a window
  const WindowBlob plain(dir.path / "dna.f32", shape);
  std::vector<float> expected(24);
  std::vector<float> got(24);
  for (int round = 0; round < 2; ++round) {
    WindowBlob cached(dir.path / "dna.f32", shape);
    cached.cache_in({folder, 0});
    EXPECT_EQ(files(".part").size(), round == 0 ? 0U : 5U);
    for (std::int64_t i = 0; i < kWindows; ++i) {
      plain.read(i, "w", expected.data());
      cached.read(i, "w", got.data());
      EXPECT_EQ(got, expected);
    }
  }
}

TEST_F(WindowCacheTest, WhatAKilledProcessLeftIsNotUsedAndGoesAway) {
  const int status = in_child([&] {
    auto cache = open();
    cache->keep(0, window(0).data());
    AtomicFile half(files("0.part").front().parent_path() / "1.part");
    half.write(window(1).data(), kBytes / 2);
    half.flush_to_disk();
    std::raise(SIGKILL);
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  const auto temporaries = [&] {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      count += entry.path().filename().string().find(".cdt-tmp-") != std::string::npos ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(temporaries(), 1U);
  auto cache = open();  // does not wait for the locks of the dead
  EXPECT_EQ(held(&*cache), Held({0}));
  EXPECT_EQ(temporaries(), 0U);
}

// A limit on the size of files stands for a full disk: write() fails in the same way.
TEST_F(WindowCacheTest, AFailedWriteEndsCachingAndNothingElse) {
  constexpr std::size_t kLarge = 65536;
  const std::string bytes(kLarge, 'a');
  write_bytes(dir.path / "large.f32", bytes + bytes);
  const InputFile blob(dir.path / "large.f32");
  WindowCache cache({folder, 0}, blob, 2, kLarge);
  cache.keep(0, bytes.data());
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit limit{kLarge / 2, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  ::testing::internal::CaptureStderr();
  cache.keep(1, bytes.data());
  cache.keep(0, bytes.data());
  setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  const std::string line = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(line.find("1.part: write: File too large; no more windows of "), std::string::npos)
      << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  cache.keep(1, bytes.data());
  std::string got(kLarge, '?');
  EXPECT_FALSE(cache.read(0, got.data()));
  WindowCache later({folder, 0}, blob, 2, kLarge);
  EXPECT_TRUE(later.read(0, got.data()));
  EXPECT_EQ(got, bytes);
  EXPECT_FALSE(later.read(1, got.data()));
}

TEST_F(WindowCacheTest, AFolderThatCannotBeUsedIsRefused) {
  write_bytes(dir.path / "file", "");
  folder = dir.path / "file" / "cache";
  EXPECT_NE(
      input_error([&] {
        const WindowCache cache({folder, 0}, InputFile(dir.path / "dna.f32"), kWindows, kBytes);
      }).find(folder.string() + ": create: "),
      std::string::npos);
}

}  // namespace
}  // namespace cdt
