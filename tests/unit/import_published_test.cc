// An import of the published files from outside: what it leaves, and damaged files.
#include <gtest/gtest.h>

#include <string>

#include "io/dataset/dataset.h"
#include "tests/support/published_files.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::PublishedFiles;

class ImportPublished : public testing::Test {
 protected:
  int import() { return import(files.options()); }
  int import(const ImportOptions& options) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    thrown = test::input_error([&] { run_published_import(options); });
    printed = testing::internal::GetCapturedStdout();
    errors = testing::internal::GetCapturedStderr();
    return thrown.empty() ? 0 : 2;
  }

  test::TempDir dir;
  PublishedFiles files{dir.path};
  std::string printed, errors, thrown;
};

TEST_F(ImportPublished, ImportsAndPrintsTheAudit) {
  files.write();
  EXPECT_EQ(import(), 0);
  EXPECT_TRUE(errors.empty() || errors.find("without a system call filter") != std::string::npos)
      << errors;
  EXPECT_NE(printed.find("enhancers 7 written"), std::string::npos) << printed;
  EXPECT_TRUE(std::filesystem::exists(files.options().common.out / "dataset.json"));
}

TEST_F(ImportPublished, NamesOfAnyBytesAreKept) {
  files.write();
  ImportOptions options = files.options();
  options.val = dir.path / "val \xe9\n.h5";
  std::filesystem::rename(files.options().val, options.val);
  options.assembly = "hg\xff";
  EXPECT_EQ(import(options), 0) << errors;
  const std::string manifest = test::read_bytes(options.common.out / "dataset.json");
  EXPECT_NE(manifest.find(R"("file": "val \\xe9\\x0a.h5")"), std::string::npos) << manifest;
  EXPECT_EQ(Dataset(options.common.out).enhancers_count(), 7);
}

TEST_F(ImportPublished, ReplacesADataSetOnlyIfThatIsMeant) {
  files.write();
  ImportOptions options = files.options();
  EXPECT_EQ(import(options), 0);
  EXPECT_EQ(import(options), 2);
  EXPECT_NE(thrown.find("already holds a data set; --overwrite replaces it"), std::string::npos);
  const std::filesystem::path out = options.common.out;
  test::write_bytes(out / "truth.json", "of the one before");
  options.common.overwrite = true;
  std::filesystem::resize_file(options.dna, std::filesystem::file_size(options.dna) - 200);
  EXPECT_EQ(import(options), 2);
  EXPECT_EQ(test::read_bytes(out / "truth.json"), "of the one before");
  files.write();
  EXPECT_EQ(import(options), 0);
  EXPECT_FALSE(std::filesystem::exists(out / "truth.json"));
}

/// As if it had been killed while files are written and while they are renamed.
TEST_F(ImportPublished, GoesOnWhereItWasKilled) {
  files.write();
  const std::filesystem::path out = files.options().common.out;
  std::filesystem::create_directory(out);
  test::write_bytes(out / ".dna.f32.cdt-tmp-0123456789abcdef", "half");
  test::write_bytes(out / "rna.f32", "whole");
  test::write_bytes(out / ".cdt-unfinished", "a data set\n");
  EXPECT_EQ(import(), 0) << thrown;
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    EXPECT_NE(entry.path().filename().native().front(), '.') << entry.path();
  }
}

TEST_F(ImportPublished, AMistakeIsOneLine) {
  files.val.labels[1] = 3;
  files.write();
  EXPECT_EQ(import(), 2);
  EXPECT_EQ(thrown,
            files.options().val.string() + ": labels[1]: is not a label (expected 0 or 1, got 3)");
  EXPECT_EQ(errors, "");
  EXPECT_EQ(printed, "");
  EXPECT_FALSE(std::filesystem::exists(files.options().common.out));
}

TEST_F(ImportPublished, WhatItLeftIsRemovedButNothingElse) {
  files.write();
  const std::filesystem::path out = files.options().common.out;
  std::filesystem::create_directory(out);
  test::write_bytes(out / "mine.txt", "keep");
  std::filesystem::resize_file(files.options().dna,
                               std::filesystem::file_size(files.options().dna) - 200);
  EXPECT_EQ(import(), 2);
  EXPECT_EQ(test::read_bytes(out / "mine.txt"), "keep");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out), {}), 1);
}

/// A damaged file gives a data set or one line, never a crash of the importer.
TEST_F(ImportPublished, DamagedFilesNeverCrashTheImporter) {
  files.storage = {{2, 4, 3}, true, true, true};
  files.variable_strings = true;
  files.write();
  const std::filesystem::path victim = files.options().val;
  const std::string good = test::read_bytes(victim);
  std::uint64_t state = 12345;
  const auto random = [&state] { return (state = state * 6364136223846793005U + 1U) >> 33U; };
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bad = good;
    if (round % 3 == 0) {
      bad.resize(random() % good.size());
    } else {
      for (int i = 0; i < 4; ++i) bad[random() % 2000] = static_cast<char>(random());
    }
    test::write_bytes(victim, bad);
    const int code = import();
    if (code == 2) {
      ++refused;
      EXPECT_TRUE(thrown.starts_with(victim.string() + ": ")) << round << thrown;
      EXPECT_FALSE(std::filesystem::exists(files.options().common.out)) << round;
    }
    std::filesystem::remove_all(files.options().common.out);
  }
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace cdt
