// What an output may replace, and what it leaves if a program failed or was killed.
#include "apps/common/output_folder.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "io/format/file.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::expect_message;
using test::input_error;
using test::write_bytes;

class OutputFolderTest : public ::testing::Test {
 protected:
  OutputFolderTest() { options_.out = out_; }
  std::string refusal(const OutputKind& kind, bool overwrite) {
    options_.overwrite = overwrite;
    return input_error([&] { const OutputFolder folder(kind, options_, inputs_); });
  }
  void sign(const OutputKind& kind) {
    fs::create_directories(out_);
    write_bytes(out_ / kind.sign, std::string("{\"format\": ") + kind.word + "0\"}");
  }

  test::TempDir dir_;
  fs::path out_ = dir_.path / "a" / "out";
  CommonOptions options_;
  Inputs inputs_;
};

TEST_F(OutputFolderTest, MakesAndTakesBack) {
  {
    const OutputFolder folder(kPredictionOutput, options_, inputs_);
    EXPECT_TRUE(fs::exists(out_));
  }
  EXPECT_FALSE(fs::exists(dir_.path / "a"));
  {
    const OutputFolder folder(kPredictionOutput, options_, inputs_);
    sign(kPredictionOutput);
  }
  EXPECT_TRUE(fs::exists(out_));
  EXPECT_FALSE(fs::exists(out_ / ".cdt-unfinished"));
}

TEST_F(OutputFolderTest, ReplacesItsKindOnlyIfThatIsMeant) {
  for (const OutputKind* kind : all_output_kinds()) {
    fs::remove_all(out_);
    sign(*kind);
    if (kind == &kRunOutput) write_bytes(out_ / "model.safetensors", "");
    expect_message(refusal(*kind, false), out_, "--out", "--overwrite replaces it");
    EXPECT_EQ(refusal(*kind, true), "");
    for (const OutputKind* other : all_output_kinds()) {
      if (other == kind) continue;
      expect_message(refusal(*other, true), out_, "--out",
                     std::string("holds ") + kind->name + "; name another folder");
    }
  }
}

TEST_F(OutputFolderTest, FilesOfItsNamesAreNotItsOwn) {
  fs::create_directories(out_ / "maps");
  write_bytes(out_ / "maps" / "x.npy", "");
  for (const bool overwrite : {false, true}) {
    expect_message(refusal(kAttributionOutput, overwrite), out_ / "maps" / "x.npy", "--out",
                   "is in the way and not of an attribution");
  }
  EXPECT_EQ(refusal(kPredictionOutput, false), "");
  // Another program's file that is also called summary.json.
  write_bytes(out_ / "summary.json", "{\"format\": \"theirs\"}");
  expect_message(refusal(kAttributionOutput, true), out_ / "summary.json", "--out", "not of an");
}

TEST_F(OutputFolderTest, WhatADeadProgramLeftMayBeReplaced) {
  fs::create_directories(out_);
  write_bytes(out_ / "predictions.tsv", "");
  write_bytes(out_ / ".cdt-unfinished", "an attribution\n");
  expect_message(refusal(kPredictionOutput, false), out_ / "predictions.tsv", "--out",
                 "in the way");
  write_bytes(out_ / ".cdt-unfinished", "a prediction\n");
  EXPECT_EQ(refusal(kPredictionOutput, false), "");
  // This run did not finish either.
  EXPECT_TRUE(fs::exists(out_ / ".cdt-unfinished"));
  const FileDescriptor living = lock_file(out_ / ".cdt-unfinished", "");
  expect_message(refusal(kPredictionOutput, false), out_, "lock", "another program");
}

TEST_F(OutputFolderTest, WhatBecomesUnreadableMeanwhileKeepsItsMark) {
  {
    const OutputFolder folder(kAttributionOutput, options_, inputs_);
    fs::create_symlink("tracks", out_ / "tracks");
  }
  EXPECT_TRUE(fs::exists(out_ / ".cdt-unfinished"));
}

TEST_F(OutputFolderTest, InputsAreFoundByWhatTheyAre) {
  write_bytes(dir_.path / "list.tsv", "x");
  inputs_.add_file("--pairs", dir_.path / "list.tsv");
  fs::create_directories(out_ / "tracks");
  const auto expect_refused = [&](const fs::path& target) {
    for (const bool overwrite : {false, true}) {
      expect_message(refusal(kAttributionOutput, overwrite), target, "--out",
                     "would overwrite what --pairs reads");
    }
    fs::remove(target);
  };
  fs::create_symlink("../../list.tsv", out_ / "pairs.tsv");
  expect_refused(out_ / "pairs.tsv");
  fs::create_hard_link(dir_.path / "list.tsv", out_ / "tracks" / "peaks.bed");
  expect_refused(out_ / "tracks" / "peaks.bed");
  write_bytes(out_ / "list.tsv", "another");
  EXPECT_EQ(refusal(kAttributionOutput, false), "");
}

TEST_F(OutputFolderTest, PlacesWithinAnotherOutput) {
  sign(kAttributionOutput);
  for (const char* place : {"tracks", "tracks/", "maps/x/y", "x/../methods"}) {
    options_.out = out_ / place;
    expect_message(refusal(kPredictionOutput, true), options_.out, "--out",
                   "belongs to an attribution");
  }
  options_.out = out_ / "prediction";
  EXPECT_EQ(refusal(kPredictionOutput, false), "");
}

TEST_F(OutputFolderTest, WhatCannotBeReplacedIsFoundFirst) {
  fs::create_directories(out_);
  write_bytes(out_ / "tracks", "");
  expect_message(refusal(kAttributionOutput, false), out_ / "tracks", "--out", "is not a folder");
  fs::remove(out_ / "tracks");
  sign(kAttributionOutput);
  fs::create_directories(out_ / "tracks" / "mine");
  EXPECT_EQ(refusal(kAttributionOutput, true), "");
  fs::create_directory(out_ / "peaks.tsv");
  expect_message(refusal(kAttributionOutput, true), out_ / "peaks.tsv", "--out",
                 "is not a regular file");
}

TEST_F(OutputFolderTest, AFileIsReplacedByItsKind) {
  const auto file_refusal = [&](bool overwrite) {
    options_.overwrite = overwrite;
    return input_error([&] { const OutputFile file("a report", "a word", options_, inputs_); });
  };
  EXPECT_EQ(file_refusal(false), "");
  EXPECT_FALSE(fs::exists(dir_.path / "a"));
  fs::create_directories(out_.parent_path());
  write_bytes(out_, "other");
  expect_message(file_refusal(true), out_, "--out", "exists and is not a report");
  write_bytes(out_, "has a word");
  expect_message(file_refusal(false), out_, "--out", "--overwrite replaces it");
  EXPECT_EQ(file_refusal(true), "");
  fs::remove(out_);
  fs::create_symlink("nowhere", out_);
  expect_message(file_refusal(true), out_, "--out", "is a link to nowhere, which does not exist");
  fs::remove(out_);
  fs::create_directory(out_);
  expect_message(file_refusal(true), out_, "--out", "is a folder");
}

}  // namespace
}  // namespace cdt
