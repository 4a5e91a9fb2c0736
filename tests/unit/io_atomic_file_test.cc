// Files are written completely or not at all.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iterator>
#include <string>

#include "io/format/output.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::read_bytes;
using test::write_bytes;

std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(IoAtomicFile, ReplacesOnlyAtCommit) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "out";
  write_bytes(path, "old");
  const std::string big(std::size_t{3} << 20U, 'x');
  {
    AtomicFile file(path);
    file.write("new");
    file.write(big);
    file.write("end");
    EXPECT_EQ(read_bytes(path), "old");
    file.commit();
  }
  EXPECT_EQ(read_bytes(path), "new" + big + "end");
  EXPECT_EQ(entries(dir.path), 1U);
}

TEST(IoAtomicFile, LeavesNothingWithoutCommit) {
  const test::TempDir dir;
  { AtomicFile(dir.path / "out").write("text"); }
  EXPECT_EQ(entries(dir.path), 0U);
}

TEST(IoAtomicFile, TwoWritersDoNotMeet) {
  const test::TempDir dir;
  AtomicFile first(dir.path / "out");
  AtomicFile second(dir.path / "out");
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  EXPECT_EQ(read_bytes(dir.path / "out"), "first");
}

TEST(IoAtomicFile, BadTargets) {
  const test::TempDir dir;
  const auto write = [](const std::filesystem::path& path) {
    return input_error([&] { write_file(path, "text"); });
  };
  expect_message(write(dir.path / "none" / "out"), dir.path / "none" / "out", "write",
                 "No such file or directory");
  expect_message(write(dir.path), dir.path, "write", "not a regular file");
  expect_message(write("/dev/null"), "/dev/null", "write", "not a regular file");
  struct stat info {};
  ASSERT_EQ(::stat("/dev/null", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

/// A file size limit simulates a full disk: write() fails the same way, with EFBIG.
TEST(IoAtomicFile, VolumeThatIsFull) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "out";
  write_bytes(path, "old");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message = input_error([&] { write_file(path, std::string(10000, 'x')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  expect_message(message, path, "write", "File too large");
  EXPECT_EQ(read_bytes(path), "old");
  EXPECT_EQ(entries(dir.path), 1U);
}

std::filesystem::path temporary_of(const std::filesystem::path& folder) {
  return std::filesystem::directory_iterator(folder)->path();
}

TEST(IoAtomicFile, TemporariesOfTheDeadAreSweptAndNoOthers) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "out";
  AtomicFile living(path);
  const std::filesystem::path name = temporary_of(dir.path);
  EXPECT_EQ(name, living.temporary());
  EXPECT_NE(name.filename().string().find(".out.cdt-tmp-"), std::string::npos);
  const std::string stem = name.string().substr(0, name.string().size() - 16);
  write_bytes(stem + "0123456789abcdef", "dead");
  write_bytes(stem + "0123456789abcdeg", "another's");
  write_bytes(dir.path / ".other.cdt-tmp-0123456789abcdef", "dead, of another file");
  std::filesystem::create_symlink("out", stem + "1123456789abcdef");
  sweep_temporaries(dir.path, "out");
  EXPECT_EQ(entries(dir.path), 4U);
  sweep_temporaries(dir.path);
  EXPECT_EQ(entries(dir.path), 3U);
  EXPECT_TRUE(std::filesystem::exists(name));
  living.write("kept");
  living.commit();
  EXPECT_EQ(read_bytes(path), "kept");
}

TEST(IoAtomicFile, AKilledProcessLeavesWhatTheNextSweeps) {
  const test::TempDir dir;
  const pid_t child = fork();
  if (child == 0) {
    AtomicFile file(dir.path / "out");
    file.write("half");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(entries(dir.path), 1U);
  write_file(dir.path / "out", "whole");  // whatever was left behind
  EXPECT_EQ(entries(dir.path), 2U);
  sweep_temporaries(dir.path);
  EXPECT_EQ(entries(dir.path), 1U);
}

TEST(IoAtomicFile, NamesAsLongAsTheyMayBe) {
  const test::TempDir dir;
  write_file(dir.path / std::string(255, 'n'), "text");
  EXPECT_EQ(entries(dir.path), 1U);
}

TEST(IoMadeFolder, TakesBackWhatItMade) {
  const test::TempDir dir;
  { const MadeFolder folder(dir.path / "a" / "b" / "c"); }
  EXPECT_EQ(entries(dir.path), 0U);
  {
    const MadeFolder folder(dir.path / "a" / "b/");
    write_bytes(dir.path / "a" / "file", "");
  }
  EXPECT_FALSE(std::filesystem::exists(dir.path / "a" / "b"));
  EXPECT_TRUE(std::filesystem::exists(dir.path / "a" / "file"));
  std::filesystem::create_symlink("nowhere", dir.path / "link");
  for (const char* path : {"link", "link/", "link/x"}) {
    expect_message(input_error([&] { MadeFolder(dir.path / path); }), dir.path / "link", "create",
                   "is a link to nowhere, which does not exist");
  }
  EXPECT_TRUE(std::filesystem::is_symlink(dir.path / "link"));
}

TEST(IoMadeFolder, ASpaceThatIsNotThere) {
  const test::TempDir dir;
  require_free_space(dir.path, 1);
  expect_message(input_error([&] { require_free_space(dir.path, std::uint64_t{1} << 62U); }),
                 dir.path, "free space",
                 "the volume is too full (expected 4611686018427387904 bytes");
}

TEST(IoAtomicFile, OutputDirectory) {
  const test::TempDir dir;
  create_output_directory(dir.path / "a" / "b");
  create_output_directory(dir.path / "a" / "b");
  EXPECT_TRUE(std::filesystem::is_directory(dir.path / "a" / "b"));
  EXPECT_GT(free_space(dir.path), 0U);
  write_bytes(dir.path / "file", "");
  expect_message(input_error([&] { create_output_directory(dir.path / "file"); }),
                 dir.path / "file", "create", "Not a directory");
  expect_message(input_error([&] { create_output_directory(dir.path / "file" / "x"); }),
                 dir.path / "file" / "x", "create", "Not a directory");
}

}  // namespace
}  // namespace cdt
