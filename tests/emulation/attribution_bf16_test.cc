// Attribution with activations in bfloat16 against the CPU's float32. A window may be off by 16
// roundings of bfloat16, 16 * 2^-8, relative to its norm.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "io/format/text.h"
#include "model/explain/gradient_pass.h"
#include "model/explain/path_split.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

using test::kBins;
using test::small_config;
using test::SmallModel;

constexpr double kBound = 16.0 * 0x1.0p-8;

std::unique_ptr<Backend> bf16_backend() {
  return make_cuda_backend({.precision = Precision::kBFloat16});
}

/// |a - b| / |b|
double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    error += std::pow(static_cast<double>(a[i]) - b[i], 2);
    norm += static_cast<double>(b[i]) * b[i];
  }
  EXPECT_GT(norm, 0.0);
  return std::sqrt(error / norm);
}

void expect_near(const PairWindows& a, const PairWindows& b) {
  EXPECT_LT(relative_error({a.prediction}, {b.prediction}), kBound);
  EXPECT_LT(relative_error(a.attention, b.attention), kBound);
  EXPECT_NEAR(std::accumulate(a.attention.begin(), a.attention.end(), 0.0), 1.0, 1e-6);
  EXPECT_LT(relative_error(a.gradient, b.gradient), kBound);
  EXPECT_LT(relative_error(a.gradient_x_input, b.gradient_x_input), kBound);
}

std::vector<CdtConfig> configs() {
  return {small_config(Variant::kReleased, 29, 2), small_config(Variant::kReleased, 9, 1),
          small_config(Variant::kReleased, 29, 0), small_config(Variant::kPaper, 29, 2)};
}

TEST(BFloat16Attribution, WindowsAreNearThoseOfFloat32) {
  for (const CdtConfig& config : configs()) {
    SmallModel narrow(config, bf16_backend());
    SmallModel wide(config, make_cpu_backend(1));
    const std::vector<PairWindows> got = narrow.attribute({2, 5});
    const std::vector<PairWindows> expected = wide.attribute({2, 5});
    for (std::size_t i = 0; i < got.size(); ++i) expect_near(got[i], expected[i]);
  }
}

TEST(BFloat16Attribution, ManyGenesAreNearThoseOfFloat32) {
  CdtConfig config = small_config(Variant::kReleased, 29, 2);
  config.genes = 14;  // more than the hidden size
  std::vector<std::int32_t> genes(14);
  std::iota(genes.begin(), genes.end(), 0);
  SmallModel narrow(config, bf16_backend());
  SmallModel wide(config, make_cpu_backend(1));
  const std::vector<PairWindows> got = narrow.attribute(genes);
  const std::vector<PairWindows> expected = wide.attribute(genes);
  for (std::size_t i = 0; i < got.size(); ++i) expect_near(got[i], expected[i]);
}

// The projection of zeros is the bias as the model reads it, so their difference is exactly 0.
TEST(BFloat16Attribution, DnaOfZerosHasNoProduct) {
  SmallModel m(small_config(Variant::kReleased, 29, 1), bf16_backend());
  m.randomise(m.model.parameter("dna_projector.linear.bias"), 9);
  m.backend->fill(m.dna, 0.0F);
  const PairWindows windows = m.attribute({1}).front();
  EXPECT_EQ(windows.gradient_x_input, std::vector<float>(static_cast<std::size_t>(kBins), 0.0F));
}

TEST(BFloat16Attribution, PathsAndGeneGradientsAreNearThoseOfFloat32) {
  const CdtConfig config = small_config(Variant::kReleased, 29, 2);
  SmallModel narrow(config, bf16_backend());
  SmallModel wide(config, make_cpu_backend(1));
  const auto split = [](SmallModel& m) {
    Explainer explainer(m.model, m.tape, m.rna, m.protein, m.lasting);
    return split_paths(explainer, explainer.project(m.dna), {3}).front();
  };
  const PathSplit got = split(narrow);
  const PathSplit expected = split(wide);
  for (std::size_t path = 0; path < got.norm.size(); ++path) {
    EXPECT_LT(relative_error(got.norm[path], expected.norm[path]), kBound) << path;
    EXPECT_NEAR(got.share[path], expected.share[path], kBound) << path;
  }
  EXPECT_LT(got.additivity_error, kBound);
  const auto genes = [](SmallModel& m) {
    Explainer explainer(m.model, m.tape, m.rna, m.protein, m.lasting);
    return gene_gradients(explainer, explainer.project(m.dna), {4}).front();
  };
  EXPECT_LT(relative_error(genes(narrow).rna, genes(wide).rna), kBound);
  EXPECT_LT(relative_error(genes(narrow).protein, genes(wide).protein), kBound);
}

}  // namespace
}  // namespace cdt
