// --init-head mean: the last layer starts at the genes' shrunken training means.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/train/foreword.h"
#include "engine/backend.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

using test::TrainRun;
using HeadStart = TrainRun;

TEST_F(HeadStart, TheLastLayerPredictsTheMeansWhateverItsInput) {
  for (const char* variant : {"released", "paper"}) {
    options.settings.variant = variant;
    std::filesystem::remove_all(data_dir);
    const auto run = make(test::default_pairs());
    start_head_at_gene_means(run->data.pairs_of(Split::kTrain), run->model);
    const std::string layer = variant == std::string("paper") ? "task_layer" : "task_layer.3";
    const auto values = [&](const std::string& name) {
      return to_host(*run->backend, run->model.parameter(layer + name).variable.value);
    };
    EXPECT_EQ(values(".bias"), shrunk_gene_means(run->data.pairs_of(Split::kTrain), 3)) << variant;
    const std::vector<float> weights = values(".weight");
    EXPECT_EQ(std::count(weights.begin(), weights.end(), 0.0F), 3 * 8) << variant;
    EXPECT_EQ(weights.size(), 3U * 8U);
  }
}

}  // namespace
}  // namespace cdt
