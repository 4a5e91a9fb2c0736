#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "engine/random.h"
#include "model/stats/bootstrap.h"
#include "model/stats/normal.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

void expect_relative(double value, double expected, double tolerance) {
  EXPECT_LE(std::fabs(value / expected - 1.0), tolerance) << value << " against " << expected;
}

// Expected values: mpmath 1.4.1 at 40 digits.
TEST(StatisticsTest, IncompleteBetaAgainstFortyDigits) {
  expect_relative(incomplete_beta(0.5, 0.5, 0.3, 0.7), 0.36901011956554538, 1e-13);
  expect_relative(incomplete_beta(2.0, 3.0, 0.9, 0.1), 0.9963, 1e-13);
  expect_relative(incomplete_beta(497.0, 0.5, 0.75, 0.25), 4.0580473483995548e-64, 1e-12);
  expect_relative(incomplete_beta(1.0, 1.0, 0.25, 0.75), 0.25, 1e-14);
  EXPECT_EQ(incomplete_beta(3.0, 2.0, 0.0, 1.0), 0.0);
  EXPECT_EQ(incomplete_beta(3.0, 2.0, 1.0, 0.0), 1.0);
}

// The first two are the published run's Pearson and Spearman (p 4.83e-65 and 6.31e-50); the digits
// are from mpmath as above.
TEST(StatisticsTest, CorrelationPOfThePublishedRun) {
  expect_relative(correlation_p(0.50318485, 996), 4.831946525179685e-65, 1e-12);
  expect_relative(correlation_p(0.44633258, 996), 6.3061034915703843e-50, 1e-12);
  expect_relative(correlation_p(-0.3, 50), 0.034286180032929966, 1e-12);
  expect_relative(correlation_p(0.9, 3), 0.28713258625741254, 1e-12);
  expect_relative(correlation_p(0.01, 5000), 0.47959900539314502, 1e-12);
}

TEST(StatisticsTest, CorrelationPAtTheEdges) {
  EXPECT_EQ(correlation_p(0.0, 10), 1.0);
  EXPECT_EQ(correlation_p(1.0, 10), 0.0);
  EXPECT_EQ(correlation_p(-1.0, 2), 1.0);
  EXPECT_TRUE(std::isnan(correlation_p(0.5, 1)));
  EXPECT_TRUE(std::isnan(correlation_p(std::nan(""), 10)));
  EXPECT_EQ(correlation_p(0.95, 1000), 0.0);  // 8.7e-507 is below the smallest double
}

TEST(StatisticsTest, RanksShareTies) {
  const std::vector<double> x{0.5, -1.25, 2.0, 2.0, 3.5, -0.75, 0.0, 1.5};
  EXPECT_EQ(average_ranks(x), (std::vector<double>{4, 1, 6.5, 6.5, 8, 2, 3, 5}));
  EXPECT_EQ(average_ranks(std::vector<double>{7, 7, 7}), (std::vector<double>{2, 2, 2}));
}

TEST(NormalTest, QuantilesInvertTheDistribution) {
  EXPECT_NEAR(normal_quantile(0.5), 0.0, 1e-15);
  EXPECT_NEAR(normal_quantile(0.1), -1.2815515655446004, 1e-14);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  for (const double p : {1e-300, 1e-12, 0.3, 0.7}) {
    expect_relative(0.5 * std::erfc(-normal_quantile(p) / std::numbers::sqrt2), p, 1e-11);
  }
  EXPECT_NEAR(normal_quantile(0.25), -normal_quantile(0.75), 1e-15);
}

// numpy.quantile([1, 2, 4, 8], [.025, .5, .975])
TEST(StatisticsTest, QuantilesInterpolate) {
  const std::vector<double> x{1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(quantile_of_sorted(x, 0.025), 1.075);
  EXPECT_DOUBLE_EQ(median({8, 1, 4, 2}), 3.0);
  EXPECT_DOUBLE_EQ(quantile_of_sorted(x, 0.975), 7.7);
  EXPECT_EQ(quantile_of_sorted(x, 1.0), 8.0);
  EXPECT_TRUE(std::isnan(median({})));
}

// Expected values: SciPy 1.17.1 pearsonr, spearmanr; NumPy for the rest.
TEST(MetricsTest, AgainstSciPy) {
  const std::vector<float> x{0.5F, -1.25F, 2.0F, 2.0F, 3.5F, -0.75F, 0.0F, 1.5F};
  const std::vector<float> y{0.25F, -1.0F, 1.5F, 2.5F, 2.5F, 0.5F, -0.25F, -0.5F};
  const Metrics m = compute_metrics(x, y);
  EXPECT_EQ(m.n, 8);
  expect_relative(m.pearson, 0.7900755693278498, 1e-14);
  expect_relative(m.pearson_p, 0.019639120132944155, 1e-12);
  expect_relative(m.spearman, 0.7650602409638554, 1e-14);
  expect_relative(m.spearman_p, 0.026975647289092675, 1e-12);
  expect_relative(m.r2, 0.42431761786600497, 1e-14);
  EXPECT_DOUBLE_EQ(m.mse, 0.90625);
  EXPECT_DOUBLE_EQ(m.mae, 0.75);
}

// 379/571 by exact fractions.
TEST(StatisticsTest, SlopeOfTheLeastSquaresLine) {
  const std::vector<double> x{0.5, -1.25, 2.0, 2.0, 3.5, -0.75, 0.0, 1.5};
  const std::vector<double> y{0.25, -1.0, 1.5, 2.5, 2.5, 0.5, -0.25, -0.5};
  EXPECT_DOUBLE_EQ(regression_slope(x, y), 379.0 / 571.0);
  const std::vector<double> constant(8, 0.1);
  EXPECT_TRUE(std::isnan(regression_slope(constant, y)));
  EXPECT_NEAR(regression_slope(x, constant), 0.0, 1e-16);
  EXPECT_TRUE(std::isnan(regression_slope(std::vector<double>{1}, std::vector<double>{2})));
}

TEST(MetricsTest, ConstantsHaveNoCorrelation) {
  const std::vector<float> y{1.0F, 2.0F, 4.0F};
  const Metrics constant_prediction = compute_metrics(std::vector<float>{0.1F, 0.1F, 0.1F}, y);
  EXPECT_TRUE(std::isnan(constant_prediction.pearson));
  EXPECT_TRUE(std::isnan(constant_prediction.pearson_p));
  EXPECT_TRUE(std::isnan(constant_prediction.spearman));
  const Metrics constant_target = compute_metrics(y, std::vector<float>{0.1F, 0.1F, 0.1F});
  EXPECT_TRUE(std::isnan(constant_target.pearson));
  EXPECT_TRUE(std::isnan(constant_target.r2));
  EXPECT_LT(constant_prediction.r2, 0.0);
  EXPECT_TRUE(std::isnan(compute_metrics(std::vector<float>{1}, std::vector<float>{2}).pearson));
}

struct Sample {
  std::vector<float> x, y;
  std::vector<std::int32_t> cluster;
};

/// Clusters whose members are copies of one pair: `clusters` independent points.
Sample copies(std::uint64_t seed, int clusters, int members) {
  RandomStream random(seed, 1);
  Sample s;
  for (int c = 0; c < clusters; ++c) {
    const double x = random.normal();
    const double y = 0.5 * x + random.normal();
    for (int m = 0; m < members; ++m) {
      s.x.push_back(static_cast<float>(x));
      s.y.push_back(static_cast<float>(y));
      s.cluster.push_back(c);
    }
  }
  return s;
}

TEST(BootstrapTest, CopiesInAClusterAddNoCertainty) {
  const Sample one = copies(3, 60, 1);
  const Sample many = copies(3, 60, 7);
  const Interval a = bootstrap_pearson(one.x, one.y, one.cluster, {});
  const Interval b = bootstrap_pearson(many.x, many.y, many.cluster, {});
  EXPECT_NEAR(a.low, b.low, 1e-12);
  EXPECT_NEAR(a.high, b.high, 1e-12);
}

TEST(BootstrapTest, SeedDecidesTheInterval) {
  const Sample s = copies(5, 40, 2);
  const Interval a = bootstrap_pearson(s.x, s.y, s.cluster, {.seed = 1});
  const Interval b = bootstrap_pearson(s.x, s.y, s.cluster, {.seed = 1});
  const Interval c = bootstrap_pearson(s.x, s.y, s.cluster, {.seed = 2});
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_NE(a.low, c.low);
}

// The true r is 0.5 / sqrt(1.25) = 0.447. Of 200 intervals at 95 %, between 176 and 199 should
// contain it (including the bootstrap's own under-coverage at n = 60). A bootstrap over the 300
// pairs instead of the 60 clusters covers about 60 %.
TEST(BootstrapTest, CoversTheTruth) {
  int covered = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Sample s = copies(1000 + seed, 60, 5);
    const Interval i =
        bootstrap_pearson(s.x, s.y, s.cluster, {.replicates = 400, .level = 0.95, .seed = seed});
    if (i.low <= 0.4472136 && 0.4472136 <= i.high) ++covered;
  }
  EXPECT_GE(covered, 176);
  EXPECT_LE(covered, 199);
}

TEST(BootstrapTest, UndefinedIntervalsAreNaN) {
  const std::vector<float> y{1, 2, 3};
  const std::vector<std::int32_t> same{4, 4, 4};
  const std::vector<std::int32_t> own{0, 1, 2};
  EXPECT_TRUE(std::isnan(bootstrap_pearson(y, y, same, {}).low));
  const std::vector<float> constant{0.1F, 0.1F, 0.1F};
  EXPECT_TRUE(std::isnan(bootstrap_pearson(constant, y, own, {}).high));
  EXPECT_NEAR(bootstrap_pearson(y, y, own, {}).low, 1.0, 1e-12);
}

TEST(BootstrapTest, DifferenceOfAPredictionFromItselfIsZero) {
  const Sample s = copies(9, 30, 2);
  const Interval same =
      bootstrap_pearson_difference(s.x, std::vector<std::vector<float>>{s.x}, s.y, s.cluster, {});
  EXPECT_EQ(same.low, 0.0);
  EXPECT_EQ(same.high, 0.0);
  RandomStream noise(11, 1);
  std::vector<std::vector<float>> unrelated(2);
  for (std::size_t i = 0; i < 2 * s.y.size(); ++i) {
    unrelated[i % 2].push_back(static_cast<float>(noise.normal()));
  }
  const Interval better = bootstrap_pearson_difference(s.y, unrelated, s.y, s.cluster, {});
  EXPECT_GT(better.low, 0.3);
  // Constants have no r and count as 0: r of a sequence with itself is 1, and the mean of 1 and 0
  // is a half.
  const std::vector<std::vector<float>> half{s.y, std::vector<float>(s.y.size(), 2.0F)};
  const Interval flat = bootstrap_pearson_difference(s.y, half, s.y, s.cluster, {});
  EXPECT_NEAR(flat.low, 0.5, 1e-12);
  EXPECT_NEAR(flat.high, 0.5, 1e-12);
}

TEST(BootstrapTest, SlopeOfALine) {
  const Sample s = copies(13, 30, 2);
  std::vector<float> line;
  for (const float x : s.x) line.push_back(0.25F * x + 3.0F);
  const Interval exact = bootstrap_slope(s.x, line, s.cluster, {});
  EXPECT_NEAR(exact.low, 0.25, 1e-6);
  EXPECT_NEAR(exact.high, 0.25, 1e-6);
  const Interval noisy = bootstrap_slope(s.x, s.y, s.cluster, {});
  const double slope = regression_slope(std::vector<double>(s.x.begin(), s.x.end()),
                                        std::vector<double>(s.y.begin(), s.y.end()));
  EXPECT_LT(noisy.low, slope);
  EXPECT_GT(noisy.high, slope);
  const std::vector<float> constant(s.y.size(), 0.1F);
  EXPECT_TRUE(std::isnan(bootstrap_slope(constant, s.y, s.cluster, {}).low));
}

TEST(BootstrapTest, ResamplesAreTheSameDraws) {
  const std::vector<double> values{1, 3, 2, 5, 0, 4.5};
  const std::vector<std::int32_t> cluster{7, 7, 2, 2, 2, 5};
  const BootstrapOptions options{.replicates = 300, .seed = 4};
  std::vector<double> means;
  for_each_resample(cluster, options, [&](std::span<const double> times) {
    ASSERT_EQ(times.size(), values.size());
    EXPECT_EQ(times[0], times[1]);
    EXPECT_EQ(times[0] + times[2] + times[5], 3.0);
    double sum = 0;
    double count = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += times[i] * values[i];
      count += times[i];
    }
    means.push_back(sum / count);
  });
  ASSERT_EQ(means.size(), 300U);
  means.push_back(kNaN);
  const Interval found = percentile_interval(means, options.level);
  const Interval expected = bootstrap_mean(values, cluster, options);
  EXPECT_DOUBLE_EQ(found.low, expected.low);
  EXPECT_DOUBLE_EQ(found.high, expected.high);
}

TEST(BootstrapTest, MeanOfEqualClustersHasNoWidth) {
  const std::vector<double> values{1, 3, 2, 2, 0, 4};
  const std::vector<std::int32_t> cluster{7, 7, 2, 2, 5, 5};
  const Interval same = bootstrap_mean(values, cluster, {});
  EXPECT_EQ(same.low, 2.0);
  EXPECT_EQ(same.high, 2.0);
  const Interval one = bootstrap_mean(values, std::vector<std::int32_t>(6, 0), {});
  EXPECT_TRUE(std::isnan(one.low) && std::isnan(one.high));
}

TEST(BootstrapTest, MeanCoversAsTheNormalTheorySays) {
  // 400 clusters of two equal values: the interval is that of 400 values, not of 800.
  RandomStream random(5, 0);
  std::vector<double> values;
  std::vector<std::int32_t> cluster;
  double sum = 0.0;
  double squares = 0.0;
  for (std::int32_t c = 0; c < 400; ++c) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
    values.insert(values.end(), 2, value);
    cluster.insert(cluster.end(), 2, c);
  }
  const double mean = sum / 400.0;
  const double error = std::sqrt((squares / 400.0 - mean * mean) / 400.0);
  const Interval interval = bootstrap_mean(values, cluster, {});
  EXPECT_NEAR(interval.low, mean - 1.96 * error, 0.2 * error);
  EXPECT_NEAR(interval.high, mean + 1.96 * error, 0.2 * error);
}

}  // namespace
}  // namespace cdt
