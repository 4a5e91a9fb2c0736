#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "engine/random.h"
#include "model/explain/averaged_gradients.h"
#include "model/explain/gradient_pass.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

class SmoothGradTest : public testing::Test {
 protected:
  SmoothGradTest() { explainer.emplace(m.model, m.tape, m.rna, m.protein, m.lasting); }

  std::vector<SmoothGrad> run(const std::vector<std::int32_t>& genes,
                              const SmoothGradOptions& options) {
    return smoothgrad(*explainer, m.dna, genes, options);
  }

  test::SmallModel m{test::small_config(Variant::kReleased, 9, 1)};
  std::optional<Explainer> explainer;
};

// Sums of all samples in order, without keeping halves.
TEST_F(SmoothGradTest, ScoresAreNormsOfTheMeanGradient) {
  const SmoothGradOptions options{.samples = 3, .noise = 0.2, .seed = 5};
  const std::vector<float> x = to_host(*m.backend, m.dna);
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  const double deviation = options.noise * (static_cast<double>(*most) - *least);
  std::vector<double> sum;
  Shape shape;
  for (std::uint32_t sample = 0; sample < 3; ++sample) {
    RandomStream random(options.seed, kSmoothGradStream + sample);
    std::vector<float> noisy;
    for (const float v : x) noisy.push_back(static_cast<float>(v + deviation * random.normal()));
    const Scratch input(m.tape.scratch(), m.dna.shape);
    m.backend->upload(*input, noisy.data());
    GradientPass pass(*explainer, explainer->project(*input));
    pass.gradients({4}, [&](std::size_t, const Tensor& gradient) {
      const std::vector<float> g = to_host(*m.backend, gradient);
      shape = gradient.shape;
      sum.resize(g.size(), 0.0);
      for (std::size_t i = 0; i < g.size(); ++i) sum[i] += g[i] / 3.0F;
    });
  }
  const Scratch gradient(m.tape.scratch(), shape);
  m.backend->upload(*gradient, std::vector<float>(sum.begin(), sum.end()).data());
  EXPECT_EQ(run({1, 4}, options)[1].scores, explainer->input_norms(*gradient));
}

TEST_F(SmoothGradTest, NoErrorOfOneSampleAndNoneWithoutNoise) {
  EXPECT_TRUE(std::isnan(run({0}, {.samples = 1}).front().error));
  // Identical samples: the halves and their shares are exact for powers of two.
  EXPECT_EQ(run({0}, {.samples = 4, .noise = 0.0}).front().error, 0.0);
}

// The error predicts how much the scores of other seeds differ, also for halves of unequal size.
// Both are mean squares over `kSeeds` runs, with a relative standard error of at most sqrt(2 /
// kSeeds), as a sum over bins varies no more than one bin; five standard errors of both bound the
// ratio.
TEST_F(SmoothGradTest, ErrorIsTheSpreadOverSeeds) {
  constexpr int kSeeds = 200;
  for (const int samples : {3, 4}) {
    double foretold = 0.0;
    std::vector<double> sum(test::kBins, 0.0);
    std::vector<double> squares(test::kBins, 0.0);
    for (int seed = 0; seed < kSeeds; ++seed) {
      const SmoothGrad s =
          run({2}, {.samples = samples, .noise = 0.02, .seed = static_cast<std::uint64_t>(seed)})
              .front();
      double size = 0.0;
      for (std::size_t bin = 0; bin < sum.size(); ++bin) {
        const double score = s.scores[bin];
        sum[bin] += score;
        squares[bin] += score * score;
        size += score * score;
      }
      foretold += s.error * s.error * size / kSeeds;
    }
    double spread = 0.0;
    for (std::size_t bin = 0; bin < sum.size(); ++bin) {
      spread += (squares[bin] - sum[bin] * sum[bin] / kSeeds) / (kSeeds - 1);
    }
    EXPECT_NEAR(foretold / spread, 1.0, 5.0 * std::sqrt(2.0 * 2.0 / kSeeds)) << samples;
  }
}

}  // namespace
}  // namespace cdt
