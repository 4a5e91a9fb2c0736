// A page shows one model and one data set, wherever their folders are.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "apps/common/session.h"
#include "apps/report/sources.h"
#include "model/fingerprint.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

TEST(ReportSourcesTest, AnotherModelAndAnotherDataSetAreRefused) {
  const test::TempDir dir;
  test::write_small_dataset(dir.path / "data", {{Split::kTrain, 0, 0, 0.5F, -1}});
  const Dataset data(dir.path / "data");
  RunRecord run;
  run.directory = dir.path / "run";
  PageSource source(run, data, {});
  EXPECT_EQ(source.fingerprint.model, "") << "the run has no model yet";
  EXPECT_NO_THROW(source.expect("p", "the prediction", {"any", source.fingerprint.data}));
  source.fingerprint.model = "0123";
  const auto complaint = [&](const Fingerprint& of) {
    return test::input_error([&] { source.expect("p", "the prediction", of); });
  };
  EXPECT_EQ(complaint({"4567", source.fingerprint.data}),
            "p: model: the prediction was made with another model than the run " +
                run.directory.string() + " has (expected 0123, got 4567)");
  EXPECT_EQ(complaint({"0123", "4567"}),
            "p: data: the prediction was made from another data set than " +
                data.directory.string() + " (expected " + source.fingerprint.data + ", got 4567)");
}

TEST(ReportSourcesTest, TheDigestOfADataSetIsOfItsContent) {
  const test::TempDir dir;
  const std::vector<Pair> pairs{{Split::kTrain, 0, 0, 0.5F, -1}};
  test::write_small_dataset(dir.path / "a", pairs);
  fs::copy(dir.path / "a", dir.path / "b", fs::copy_options::recursive);
  test::write_small_dataset(dir.path / "c", {{Split::kTrain, 0, 0, 0.75F, -1}});
  const auto digest = [&](const char* name) { return digest_of_data(Dataset(dir.path / name)); };
  EXPECT_EQ(digest("a"), digest("b"));
  EXPECT_NE(digest("a"), digest("c"));
  test::write_small_dataset(dir.path / "d", {{.beta = 0.5F, .se = 0.25F}});
  test::write_small_dataset(dir.path / "e", {{.beta = 0.5F, .se = 0.125F}});
  EXPECT_NE(digest("a"), digest("d"));
  EXPECT_NE(digest("d"), digest("e"));
}

}  // namespace
}  // namespace cdt
