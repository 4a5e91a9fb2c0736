#include <gtest/gtest.h>

#include "tests/support/sections.h"

namespace cdt {
namespace {

PathSplit split_with(double error) {
  PathSplit split;
  for (const float value : {3.0F, -1.0F, 0.5F}) {
    split.norm.emplace_back(4, 1.0F);
    split.product.emplace_back(4, value);
  }
  split.share = {0.7, 0.2, 0.1};
  split.additivity_error = error;
  return split;
}

TEST(PathSectionTest, PairsWhosePartsDoNotAddUpAreNamed) {
  test::SectionInputs inputs({{Split::kTrain, 0, 0, 0.5F, -1}});
  inputs.pairs.resize(4);
  const std::unique_ptr<Section> section = make_paths(inputs.context());
  const auto add = [&](std::int32_t enhancer, std::int32_t gene, bool zero_dna, double error) {
    EnhancerResult result = test::SectionInputs::result(enhancer, {gene}, zero_dna);
    result.paths.push_back(split_with(error));
    section->add(result);
  };
  add(0, 0, false, 0.9e-4);
  EXPECT_EQ(section->warning(), "");
  add(0, 1, false, 1.1e-4);
  add(1, 0, true, 0.5);
  EXPECT_EQ(section->warning(),
            "paths: the parts of 2 pairs (E0:B, E1:A) miss the gradient by more than 0.0001 "
            "of it");
  add(2, 0, false, 0.0);
  AttributionSummary summary;
  section->finish(&summary);
  const PathSummary& paths = *summary.paths;
  EXPECT_EQ(paths.beyond_gate_pairs, 1);
  EXPECT_EQ(paths.zero_dna_left_out, 1);
  EXPECT_EQ(paths.additivity_error, 1.1e-4);
  EXPECT_EQ(find_name(paths.product, "via_rna")->mean.value, -4.0);
  EXPECT_EQ(find_name(paths.product, "via_rna")->mean.interval.high, -4.0);
  EXPECT_NEAR(find_name(paths.share, "via_rna")->mean.interval.low, 0.2, 1e-12);
  EXPECT_EQ(section->text(),
            "paths: mean over 3 pairs, 70.00 % of the gradient is direct, 20.00 % via RNA, 10.00 % "
            "via protein; their sum is off by at most 0.00011 of it\n");
}

TEST(PathSectionTest, NarrowNumbersHaveAWiderGate) {
  EXPECT_LT(additivity_gate("fp32"), additivity_gate("tf32"));
  EXPECT_LT(additivity_gate("tf32"), additivity_gate("bf16"));
}

}  // namespace
}  // namespace cdt
