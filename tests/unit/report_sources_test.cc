// What tells whether two files, or a file and a record of it, are the same.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "apps/report/sources.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

TEST(ReportSourcesTest, ContentIsComparedToTheLastByte) {
  const test::TempDir work;
  const std::string content(200'000, 'x');
  write(work.path / "a", content);
  write(work.path / "b", content);
  write(work.path / "shorter", content.substr(1));
  write(work.path / "last", content.substr(1) + "y");
  EXPECT_TRUE(same_content(work.path / "a", work.path / "a"));
  EXPECT_TRUE(same_content(work.path / "a", work.path / "b"));
  EXPECT_FALSE(same_content(work.path / "a", work.path / "shorter"));
  EXPECT_FALSE(same_content(work.path / "a", work.path / "last"));
  EXPECT_FALSE(same_content(work.path / "a", work.path / "none"));
}

TEST(ReportSourcesTest, RecordedPathsAreFoundWhereTheirFolderMovedTo) {
  const test::TempDir work;
  const fs::path home = work.path / "moved" / "demo";
  write(home / "run" / "model.safetensors", "mine");
  write(home / "run2" / "model.safetensors", "other");
  const auto same = [&](const char* recorded) {
    return same_source(recorded, home / "attribution", home / "run" / "model.safetensors",
                       same_content);
  };
  EXPECT_EQ(same("build/demo/run/model.safetensors"), Same::kYes);
  EXPECT_EQ(same("build/demo/run2/model.safetensors"), Same::kNo);
  EXPECT_EQ(same("build/demo/run3/model.safetensors"), Same::kUnknown);
  // The bare name says nothing of the run.
  write(home / "model.safetensors", "mine");
  EXPECT_EQ(same("build/demo/run3/model.safetensors"), Same::kUnknown);
}

}  // namespace
}  // namespace cdt
