// Agreement of two measurements: the interval of Spearman's rho against ranks of samples that are
// written out, and the limit against values whose noise is known.
#include "model/stats/agreement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "engine/random.h"
#include "model/stats/bootstrap.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

struct Measured {
  std::vector<float> truth, first, second;
  std::vector<std::int32_t> cluster;
};

/// Values with variance 1 whose noise has variance `noise` in both measurements; rows in clusters
/// of `members`. Rounded to steps of `step`, if it is above 0, so that there are ties.
Measured measured(std::uint64_t seed, int rows, int members, double noise, double step) {
  RandomStream random(seed, 1);
  const auto rounded = [&](double value) {
    return static_cast<float>(step > 0 ? step * std::round(value / step) : value);
  };
  Measured out;
  for (int i = 0; i < rows; ++i) {
    const double value = random.normal();
    out.truth.push_back(static_cast<float>(value));
    out.first.push_back(rounded(value + std::sqrt(noise) * random.normal()));
    out.second.push_back(rounded(value + std::sqrt(noise) * random.normal()));
    out.cluster.push_back(i / members);
  }
  return out;
}

/// The interval from samples that are written out and ranked from scratch.
Interval slow_spearman(const Measured& m, const BootstrapOptions& options) {
  std::map<std::int32_t, std::vector<std::size_t>> rows;
  for (std::size_t i = 0; i < m.cluster.size(); ++i) rows[m.cluster[i]].push_back(i);
  return bootstrap_clusters(rows.size(), options, [&](const std::vector<std::size_t>& drawn) {
    std::vector<double> x, y;
    for (const std::size_t d : drawn) {
      for (const std::size_t i : std::next(rows.begin(), static_cast<std::ptrdiff_t>(d))->second) {
        x.push_back(m.first[i]);
        y.push_back(m.second[i]);
      }
    }
    return pearson(average_ranks(x), average_ranks(y));
  });
}

TEST(Agreement, SpearmanIntervalRanksEveryDraw) {
  for (const double step : {0.0, 0.5, 2.0}) {
    const Measured m = measured(3, 60, 4, 0.5, step);
    const BootstrapOptions options{.replicates = 200, .seed = 9};
    const Interval fast = bootstrap_spearman(m.first, m.second, m.cluster, options);
    const Interval slow = slow_spearman(m, options);
    EXPECT_NEAR(fast.low, slow.low, 1e-12) << step;
    EXPECT_NEAR(fast.high, slow.high, 1e-12) << step;
    const Estimate rho = measured_spearman(m.first, m.second, m.cluster, options);
    EXPECT_EQ(rho.interval.low, fast.low);
    EXPECT_LT(rho.interval.low, rho.value);
    EXPECT_LT(rho.value, rho.interval.high);
  }
}

TEST(Agreement, UndefinedSpearmanIntervals) {
  const std::vector<float> values{1, 2, 3}, equal{4, 4, 4};
  const std::vector<std::int32_t> own{0, 1, 2}, one{7, 7, 7};
  EXPECT_TRUE(std::isnan(bootstrap_spearman(values, values, one, {}).low));
  EXPECT_TRUE(std::isnan(bootstrap_spearman(equal, values, own, {}).high));
  EXPECT_NEAR(bootstrap_spearman(values, values, own, {}).low, 1.0, 1e-12);
}

// Noise of variance 9/16 makes the reliability 0.64 and the limit 0.8. The standard error of an r
// near 0.8 over 4000 rows is 0.006; the bounds are four of them.
TEST(Agreement, NoiseFreeValuesReachTheLimit) {
  const Measured m = measured(5, 4000, 1, 0.5625, 0.0);
  const Estimate r = measured_pearson(m.first, m.second, m.cluster, {.replicates = 200});
  EXPECT_NEAR(r.value, 0.64, 0.04);
  const Estimate limit = noise_free_limit(r);
  EXPECT_NEAR(limit.value, 0.8, 0.024);
  EXPECT_NEAR(compute_metrics(m.truth, m.first).pearson, limit.value, 0.024);
  EXPECT_DOUBLE_EQ(limit.interval.low, std::sqrt(r.interval.low));
}

TEST(Agreement, NoLimitWithoutAgreement) {
  EXPECT_TRUE(std::isnan(noise_free_limit(0.0)));
  EXPECT_TRUE(std::isnan(noise_free_limit(-0.3)));
  EXPECT_TRUE(std::isnan(noise_free_limit(kNaN)));
  const Estimate unclear = noise_free_limit(Estimate{0.09, {-0.1, 0.25}});
  EXPECT_DOUBLE_EQ(unclear.value, 0.3);
  EXPECT_EQ(unclear.interval.low, 0.0);
  EXPECT_DOUBLE_EQ(unclear.interval.high, 0.5);
  EXPECT_TRUE(std::isnan(noise_free_limit(Estimate{-0.1, {-0.3, 0.2}}).interval.high));
}

}  // namespace
}  // namespace cdt
