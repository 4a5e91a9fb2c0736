#include "apps/attribute/path_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

PathSplit split_with(double error) {
  PathSplit split;
  const std::array<float, PathSplit::kPaths> values{3.0F, -1.0F, 0.5F};
  for (std::size_t path = 0; path < PathSplit::kPaths; ++path) {
    split.norm[path].assign(4, 1.0F);
    split.product[path].assign(4, values[path]);
  }
  split.share = {0.7, 0.2, 0.1};
  split.additivity_error = error;
  return split;
}

TEST(PathReportTest, PairsWhosePartsDoNotAddUpAreNamed) {
  const test::TempDir dir;
  test::write_small_dataset(dir.path / "data", {{Split::kTrain, 0, 0, 0.5F, -1}});
  const Dataset data(dir.path / "data");
  const std::vector<std::int32_t> genes{0, 1};
  const CommonOptions common;
  PathReport report(dir.path, data, 4, true, common);
  report.add({0, {}, genes, false}, 0, split_with(0.9e-4));
  EXPECT_EQ(report.warning(), "");
  report.add({0, {}, genes, false}, 1, split_with(1.1e-4));
  report.add({1, {}, genes, true}, 0, split_with(0.5));
  EXPECT_EQ(report.warning(),
            "paths: the parts of 2 pairs (E0:B, E1:A) miss the gradient by more than 0.0001 "
            "of it");
  report.add({2, {}, genes, false}, 0, split_with(0.0));
  nlohmann::ordered_json json;
  report.finish(&json);
  const auto& paths = json["paths"];
  EXPECT_EQ(paths["beyond_gate_pairs"], 1);
  EXPECT_EQ(paths["zero_dna_left_out"], 1);
  EXPECT_EQ(paths["additivity_error"], 1.1e-4);
  EXPECT_EQ(paths["products"]["sum_over_window"]["via_rna"]["mean"], -4.0);
  EXPECT_EQ(paths["products"]["sum_over_window"]["via_rna"]["interval_95"][1], -4.0);
  EXPECT_NEAR(paths["share"]["via_rna"]["interval_95"][0].get<double>(), 0.2, 1e-12);
  EXPECT_EQ(report.table(),
            "paths: of the gradient, mean of 3 pairs, 70.00 % go direct, 20.00 % via RNA, 10.00 % "
            "via protein; they add "
            "up but for 0.00011 of it at most\n");
}

TEST(PathReportTest, NarrowNumbersHaveAWiderGate) {
  EXPECT_LT(additivity_gate("fp32"), additivity_gate("tf32"));
  EXPECT_LT(additivity_gate("tf32"), additivity_gate("bf16"));
}

}  // namespace
}  // namespace cdt
