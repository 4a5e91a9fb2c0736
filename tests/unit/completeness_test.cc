#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/support/sections.h"

namespace cdt {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

class CompletenessTest : public testing::Test {
 protected:
  CompletenessTest() : inputs_({{Split::kTrain, 0, 0, 0.5F, -1}}) {
    inputs_.methods = choose_methods("integrated_gradients");
    inputs_.options.gradient.baseline = "mean";
    section_ = make_completeness(inputs_.context());
  }
  void add(std::int32_t gene, double error, double resolution, bool zero_dna = false) {
    EnhancerResult result = test::SectionInputs::result(0, {gene}, zero_dna);
    result.completeness.push_back(
        {32, 0.5, error, resolution, error <= 0.01 || error <= resolution});
    section_->add(result);
  }
  std::string pair(std::size_t gene) const {
    return inputs_.data->enhancers[0].name + ":" + inputs_.data->genes[gene];
  }

  test::SectionInputs inputs_;
  std::unique_ptr<Section> section_;
};

TEST_F(CompletenessTest, IncompletePairsAreCountedAndNamed) {
  add(0, 0.002, 1e-6);
  add(1, 0.03, 1e-6);
  add(0, 0.04, 0.05);
  add(0, 0.9, 1.0, true);
  AttributionSummary summary;
  section_->finish(&summary);
  section_->publish();
  const CompletenessSummary& section = *summary.completeness;
  EXPECT_EQ(section.baseline, "mean");
  EXPECT_EQ(section.beyond_gate_pairs, 2);
  EXPECT_EQ(section.at_resolution_pairs, 1);
  EXPECT_EQ(section.incomplete_pairs, 1);
  EXPECT_EQ(section.zero_dna_left_out, 1);
  EXPECT_NEAR(section.error.mean, 0.024, 1e-12);
  EXPECT_EQ(section.error.largest, 0.04);
  EXPECT_EQ(
      section_->text(),
      "integrated gradients: completeness error 2.4 % mean, 4 % largest; 2 of 3 pairs beyond 1 "
      "%: 1 within the resolution of predictions, 1 incomplete; 32 steps mean, 32 most\n");
  EXPECT_EQ(section_->failure(), "integrated gradients: the scores of 1 pair (" + pair(1) +
                                     ") miss the prediction's change by more than 1 % at 512 steps "
                                     "(integrated_gradients.tsv)");
  const std::string file = content(inputs_.dir.path / "integrated_gradients.tsv");
  EXPECT_NE(file.find("\t32\t0.5\t0.03\t1e-06\t0\t0\n"), std::string::npos) << file;
  EXPECT_NE(file.find("\t32\t0.5\t0.9\t1\t1\t1\n"), std::string::npos) << file;
}

TEST_F(CompletenessTest, FiveAreNamed) {
  for (int i = 0; i < 6; ++i) add(0, 0.5, 0.0);
  EXPECT_NE(section_->failure().find("of 6 pairs (" + pair(0) + ", "), std::string::npos);
  EXPECT_NE(section_->failure().find(pair(0) + ", ...) miss"), std::string::npos)
      << section_->failure();
}

TEST_F(CompletenessTest, WithoutTheMethodAnEarlierFileGoes) {
  const std::filesystem::path file = inputs_.dir.path / "integrated_gradients.tsv";
  std::ofstream(file) << "old\n";
  inputs_.methods = choose_methods("");
  EXPECT_EQ(make_completeness(inputs_.context()), nullptr);
  remove_earlier_attribution(inputs_.dir.path);
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace cdt
