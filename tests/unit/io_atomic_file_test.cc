// Files are written whole or not at all.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <iterator>
#include <string>

#include "io/atomic_file.h"
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

/// A file size limit stands in for a full disk: write() fails the same way, with EFBIG.
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
