// The run directory: what it refuses, and that a kill at any time leaves one complete last/.
#include "apps/train/run_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "engine/error.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::expect_message;
using test::input_error;

class RunFolderTest : public ::testing::Test {
 protected:
  static void put(const fs::path& folder, const std::string& content) {
    fs::create_directories(folder);
    test::write_bytes(folder / "file", content);
  }
  std::string last() const { return test::read_bytes(run_dir / "last" / "file"); }
  /// The content of last/ after a start that finds what a killed process left.
  std::string repaired() const {
    const RunFolder folder(run_dir, true);
    EXPECT_FALSE(fs::exists(run_dir / "last.new"));
    EXPECT_FALSE(fs::exists(run_dir / "last.old"));
    return last();
  }
  test::TempDir dir;
  fs::path run_dir = dir.path / "run";
};

TEST_F(RunFolderTest, ReplacesLastWhole) {
  const RunFolder folder(run_dir, false);
  for (const std::string content : {"one", "two"}) {
    folder.replace_last([&](const fs::path& into) { put(into, content); });
    EXPECT_EQ(last(), content);
  }
  EXPECT_THROW(folder.replace_last([&](const fs::path& into) {
    put(into, "three");
    throw Error("disk full");
  }),
               Error);
  EXPECT_EQ(last(), "two");
  EXPECT_FALSE(fs::exists(run_dir / "last.new"));
}

TEST_F(RunFolderTest, RepairsAnyPointOfAKill) {
  put(run_dir / "last", "old");
  put(run_dir / "last.new", "torn");
  EXPECT_EQ(repaired(), "old");  // killed while last.new was written

  fs::rename(run_dir / "last", run_dir / "last.old");
  put(run_dir / "last.new", "new");
  EXPECT_EQ(repaired(), "new");  // killed between the renames

  put(run_dir / "last.old", "old");
  EXPECT_EQ(repaired(), "new");  // killed before last.old was removed
}

/// Another thread looks for last/ all the time while it is replaced.
TEST_F(RunFolderTest, LastIsNeverMissing) {
  put(dir.path / "a", "");
  put(dir.path / "b", "");
  if (renameat2(AT_FDCWD, (dir.path / "a").c_str(), AT_FDCWD, (dir.path / "b").c_str(),
                RENAME_EXCHANGE) != 0) {
    GTEST_SKIP() << "this file system cannot exchange two names";
  }
  const RunFolder folder(run_dir, false);
  folder.replace_last([&](const fs::path& into) { put(into, "first"); });
  std::atomic<bool> done{false};
  std::atomic<int> missing{0};
  std::thread reader([&] {
    struct stat info {};
    while (!done) missing += stat((run_dir / "last" / "file").c_str(), &info) == 0 ? 0 : 1;
  });
  for (int i = 0; i < 200; ++i) {
    folder.replace_last([&](const fs::path& into) { put(into, std::to_string(i)); });
  }
  done = true;
  reader.join();
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(last(), "199");
}

TEST_F(RunFolderTest, AnEarlierRunGoesWhenTheNewOneBegins) {
  const std::string config = "{\"program\": \"cdt-train 0\"}";
  {
    RunFolder first(run_dir, false);
    first.begin(config, "{}");
    first.replace_last([&](const fs::path& into) { put(into, "old"); });
    first.append_metrics("{}");
    test::write_bytes(first.best_model(), "old");
    test::write_bytes(run_dir / "notes.txt", "mine");
  }
  { const RunFolder failed(run_dir, false, true); }
  EXPECT_EQ(last(), "old");
  RunFolder second(run_dir, false, true);
  second.begin(config, "{}");
  EXPECT_FALSE(fs::exists(run_dir / "last"));
  EXPECT_FALSE(fs::exists(second.best_model()));
  EXPECT_FALSE(fs::exists(second.metrics()));
  EXPECT_TRUE(fs::exists(run_dir / "notes.txt"));
}

TEST_F(RunFolderTest, ARunThatDidNotBeginLeavesNothing) {
  { const RunFolder folder(run_dir / "deep", false); }
  EXPECT_FALSE(fs::exists(run_dir));
  {
    RunFolder folder(run_dir, false);
    folder.begin("{\"program\": \"cdt-train 0\"}", "{}");
    EXPECT_THROW(folder.replace_last([](const fs::path&) { throw Error("disk full"); }), Error);
  }
  EXPECT_FALSE(fs::exists(run_dir));
}

TEST_F(RunFolderTest, RefusesASecondTrainerAndAWrittenFolder) {
  {
    const RunFolder folder(run_dir, false);
    expect_message(input_error([&] { RunFolder(run_dir, false); }), run_dir, "lock",
                   "another cdt-train");
    folder.append_metrics("{}");
  }
  expect_message(input_error([&] { RunFolder(run_dir, false); }), run_dir, "--out",
                 "already holds a run");
  expect_message(input_error([&] { RunFolder(run_dir, true); }), run_dir, "--resume",
                 "no run to resume");
  const fs::path nowhere = dir.path / "nowhere";
  expect_message(input_error([&] { RunFolder(nowhere, true); }), nowhere, "--resume",
                 "no run to resume");
  EXPECT_FALSE(fs::exists(nowhere));
}

TEST_F(RunFolderTest, CutsMetricsAfterTheLastFinishedEpoch) {
  const RunFolder folder(run_dir, false);
  folder.keep_metrics(1, 1);
  folder.append_metrics("{\"epoch\":1}");
  folder.append_metrics("{\"epoch\":2}");
  std::ofstream(folder.metrics(), std::ios::app) << "{\"epo";
  folder.keep_metrics(1, 3);
  EXPECT_EQ(test::read_bytes(folder.metrics()), "{\"epoch\":1}\n{\"epoch\":2}\n");
  folder.keep_metrics(1, 2);
  EXPECT_EQ(test::read_bytes(folder.metrics()), "{\"epoch\":1}\n");
  expect_message(input_error([&] { folder.keep_metrics(1, 3); }), folder.metrics(), "lines",
                 "expected 2, got 1");
}

/// Backups by hard links (cp -al, rsync --link-dest) share files until one is written.
TEST_F(RunFolderTest, ACopyByHardLinksKeepsItsMetrics) {
  const RunFolder folder(run_dir, false);
  folder.append_metrics("{\"epoch\":1}");
  folder.append_metrics("{\"epoch\":2}");
  const fs::path copy = dir.path / "copy.jsonl";
  fs::create_hard_link(folder.metrics(), copy);
  const std::string before = test::read_bytes(copy);
  folder.append_metrics("{\"epoch\":3}");
  folder.keep_metrics(1, 2);
  EXPECT_EQ(test::read_bytes(copy), before);
}

TEST_F(RunFolderTest, ALockThatIsAnotherFileIsRefused) {
  fs::create_directories(run_dir);
  test::write_bytes(dir.path / "data", "values");
  fs::create_hard_link(dir.path / "data", run_dir / "lock");
  expect_message(input_error([&] { RunFolder(run_dir, false); }), run_dir / "lock", "lock",
                 "hard link");
  fs::remove(run_dir / "lock");
  fs::create_symlink(dir.path / "data", run_dir / "lock");
  expect_message(input_error([&] { RunFolder(run_dir, false); }), run_dir / "lock", "lock",
                 "is a link");
  EXPECT_EQ(test::read_bytes(dir.path / "data"), "values");
}

}  // namespace
}  // namespace cdt
