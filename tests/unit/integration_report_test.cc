#include "apps/attribute/integration_report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

class IntegrationReportTest : public testing::Test {
 protected:
  IntegrationReportTest() : data(write(dir.path / "data")) {}
  static std::filesystem::path write(const std::filesystem::path& path) {
    test::write_small_dataset(path, {{Split::kTrain, 0, 0, 0.5F, -1}});
    return path;
  }
  static IntegratedGradients result(double error, double resolution) {
    return {{}, 32, 0.5, error, resolution, error <= 0.01 || error <= resolution};
  }
  std::string pair(std::size_t gene) const {
    return data.enhancers[0].name + ":" + data.genes[gene];
  }

  test::TempDir dir;
  Dataset data;
  std::vector<std::int32_t> genes{0, 1};
};

TEST_F(IntegrationReportTest, IncompletePairsAreCountedAndNamed) {
  IntegrationReport report(dir.path, data, "mean", true);
  const EnhancerGenes wanted{0, {}, genes, false};
  report.add(wanted, 0, result(0.002, 1e-6));
  report.add(wanted, 1, result(0.03, 1e-6));
  report.add(wanted, 0, result(0.04, 0.05));
  report.add({0, {}, genes, true}, 0, result(0.9, 1.0));
  nlohmann::ordered_json json;
  report.finish(&json);
  const auto& section = json["integrated_gradients"];
  EXPECT_EQ(section["beyond_gate_pairs"], 2);
  EXPECT_EQ(section["at_resolution_pairs"], 1);
  EXPECT_EQ(section["incomplete_pairs"], 1);
  EXPECT_EQ(section["zero_dna_left_out"], 1);
  EXPECT_NEAR(section["completeness_error"]["mean"].get<double>(), 0.024, 1e-12);
  EXPECT_EQ(section["completeness_error"]["largest"], 0.04);
  EXPECT_EQ(
      report.table(),
      "integrated gradients: completeness error 2.4 % mean, 4 % largest; 2 of 3 pairs beyond 1 "
      "%: 1 as near as predictions resolve, 1 incomplete; 32 steps mean, 32 most\n");
  EXPECT_EQ(report.warning(), "integrated gradients: the scores of 1 pair (" + pair(1) +
                                  ") miss the prediction's change by more than 1 % at 512 steps "
                                  "(integrated_gradients.tsv)");
  const std::string file = content(dir.path / "integrated_gradients.tsv");
  EXPECT_NE(file.find("\t32\t0.5\t0.03\t1e-06\t0\t0\n"), std::string::npos) << file;
  EXPECT_NE(file.find("\t32\t0.5\t0.9\t1\t1\t1\n"), std::string::npos) << file;
}

TEST_F(IntegrationReportTest, FiveAreNamed) {
  IntegrationReport report(dir.path, data, "zero", true);
  for (int i = 0; i < 6; ++i) report.add({0, {}, genes, false}, 0, result(0.5, 0.0));
  EXPECT_NE(report.warning().find("of 6 pairs (" + pair(0) + ", "), std::string::npos);
  EXPECT_NE(report.warning().find(pair(0) + ", ...) miss"), std::string::npos) << report.warning();
}

TEST_F(IntegrationReportTest, WithoutTheMethodAnEarlierFileGoes) {
  std::ofstream(dir.path / "integrated_gradients.tsv") << "old\n";
  IntegrationReport report(dir.path, data, "zero", false);
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  report.finish(&json);
  EXPECT_TRUE(json.empty());
  EXPECT_TRUE(report.table().empty() && report.warning().empty());
  EXPECT_FALSE(std::filesystem::exists(dir.path / "integrated_gradients.tsv"));
}

}  // namespace
}  // namespace cdt
