#include "model/stats/ridge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/random.h"
#include "model/stats/cholesky.h"

namespace cdt {
namespace {

using Values = std::vector<double>;
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

Values normals(std::size_t n, std::uint64_t seed) {
  RandomStream random(seed, 4);
  Values out(n);
  for (double& x : out) x = random.normal();
  return out;
}

std::vector<const double*> rows_of(const Values& x, std::int64_t columns) {
  std::vector<const double*> out;
  for (std::size_t i = 0; i < x.size(); i += static_cast<std::size_t>(columns)) {
    out.push_back(x.data() + i);
  }
  return out;
}

/// Sizes that are not multiples of panels, blocks and depths; the last is large enough for two
/// threads. The upper triangle is checked to rounding.
TEST(CholeskyTest, FactorTimesItsTransposeIsTheMatrix) {
  for (const auto& [rows, n] : {std::pair{1L, 1L}, {12L, 7L}, {131L, 67L}, {450L, 300L}}) {
    const Values x = normals(static_cast<std::size_t>(rows * n), 1);
    Values a(static_cast<std::size_t>(n * n));
    add_gram(1, rows_of(x, n), n, a.data(), n, 2);
    const auto at = [n = n](const Values& m, std::int64_t i, std::int64_t j) {
      return m[static_cast<std::size_t>(i * n + j)];
    };
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = i; j < n; ++j) {
        double sum = 0;
        for (std::int64_t k = 0; k < rows; ++k) sum += at(x, k, i) * at(x, k, j);
        EXPECT_NEAR(
            at(a, i, j), sum,
            2 * static_cast<double>(rows) * kEpsilon * std::sqrt(at(a, i, i) * at(a, j, j)));
      }
    }
    Values u = a;
    cholesky(u.data(), n, 2);
    Values alone = a;
    cholesky(alone.data(), n, 1);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = i; j < n; ++j) {
        EXPECT_EQ(at(u, i, j), at(alone, i, j));
        double sum = 0;
        for (std::int64_t k = 0; k <= i; ++k) sum += at(u, k, i) * at(u, k, j);
        // Higham, Accuracy and Stability, theorem 10.3.
        EXPECT_NEAR(
            sum, at(a, i, j),
            2 * static_cast<double>(n + 1) * kEpsilon * std::sqrt(at(a, i, i) * at(a, j, j)));
      }
    }
  }
  Values indefinite{1, 2, 0, 1};
  EXPECT_THROW(cholesky(indefinite.data(), 2, 1), Error);
}

/// Gaussian elimination with pivoting.
Values solve(std::vector<Values> a, Values b) {
  const std::size_t n = b.size();
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c; r < n; ++r) {
      if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
    }
    std::swap(a[c], a[pivot]);
    std::swap(b[c], b[pivot]);
    for (std::size_t r = 0; r < n; ++r) {
      if (r == c) continue;
      const double factor = a[r][c] / a[c][c];
      for (std::size_t j = c; j < n; ++j) a[r][j] -= factor * a[c][j];
      b[r] -= factor * b[c];
    }
  }
  for (std::size_t c = 0; c < n; ++c) b[c] /= a[c][c];
  return b;
}

/// The minimum, from the normal equations with the intercept as an extra column: nothing is
/// centred. Rows of group `without` are left out, but they count in the scale.
Values closed_form(const RidgeData& d, double penalty, std::int32_t without = -1) {
  const auto p = static_cast<std::size_t>(d.columns);
  std::vector<Values> a(p + 1, Values(p + 1));
  Values b(p + 1);
  double rows = 0;
  for (std::size_t r = 0; r < d.y.size(); ++r) {
    if (d.group[r] == without) continue;
    ++rows;
    Values x{1};
    for (std::size_t c = 0; c < p; ++c) x.push_back(d.x[r * p + c]);
    for (std::size_t i = 0; i <= p; ++i) {
      for (std::size_t j = 0; j <= p; ++j) a[i][j] += x[i] * x[j];
      b[i] += x[i] * d.y[r];
    }
  }
  const auto all = static_cast<double>(d.y.size());
  for (std::size_t c = 0; c < p; ++c) {
    double mean = 0;
    double square = 0;
    for (std::size_t r = 0; r < d.y.size(); ++r) mean += d.x[r * p + c] / all;
    for (std::size_t r = 0; r < d.y.size(); ++r) square += std::pow(d.x[r * p + c] - mean, 2) / all;
    const bool light = static_cast<std::int64_t>(c) < d.light;
    a[c + 1][c + 1] += rows * (light ? kLightPenalty : penalty) * square;
  }
  return solve(a, b);
}

double predict(const Values& fit, const RidgeData& d, std::size_t row) {
  double out = fit[0];
  for (std::size_t c = 1; c < fit.size(); ++c) {
    out += fit[c] * d.x[row * static_cast<std::size_t>(d.columns) + c - 1];
  }
  return out;
}

/// With no more groups than folds, each group is a fold.
double best_penalty(const RidgeData& d, std::int32_t groups) {
  double best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (const double penalty : kRidgePenalties) {
    double error = 0;
    for (std::int32_t g = 0; g < groups; ++g) {
      const Values fit = closed_form(d, penalty, g);
      for (std::size_t r = 0; r < d.y.size(); ++r) {
        if (d.group[r] == g) error += std::pow(d.y[r] - predict(fit, d, r), 2);
      }
    }
    if (error <= least) best = penalty;
    least = std::min(least, error);
  }
  return best;
}

/// At least three columns, of which y depends on the first three; columns differ in scale and are
/// not centred.
RidgeData made(std::size_t rows, std::int64_t columns, std::int32_t groups, double noise) {
  RidgeData d{
      columns, normals(rows * static_cast<std::size_t>(columns), 7), normals(rows, 8), {}, 0};
  for (std::size_t r = 0; r < rows; ++r) {
    double* x = d.x.data() + r * static_cast<std::size_t>(columns);
    for (std::int64_t c = 0; c < columns; ++c) x[c] = 3 + x[c] * std::pow(10.0, c % 3 - 1);
    d.y[r] = 2 + noise * d.y[r] + x[0] - x[1] + 0.5 * x[2];
    d.group.push_back(static_cast<std::int32_t>(r) % groups);
  }
  return d;
}

void expect_closed_form(const RidgeData& d, double penalty) {
  const Ridge fit = fit_ridge(d, 2);
  EXPECT_EQ(fit.penalty, penalty);
  const Values expected = closed_form(d, penalty);
  for (std::size_t r = 0; r < d.y.size(); ++r) {
    const std::span<const double> row(d.x.data() + r * static_cast<std::size_t>(d.columns),
                                      static_cast<std::size_t>(d.columns));
    EXPECT_NEAR(fit.predict(row), predict(expected, d, r), 1e-8) << r;
  }
}

TEST(RidgeTest, IsTheClosedFormAtThePenaltyOfLeastError) {
  for (const double noise : {0.01, 1.0, 10.0}) {
    RidgeData d = made(43, 9, 4, noise);
    expect_closed_form(d, best_penalty(d, 4));
    d.light = 2;
    expect_closed_form(d, best_penalty(d, 4));
  }
  EXPECT_LT(best_penalty(made(43, 9, 4, 0.01), 4), best_penalty(made(43, 9, 4, 10.0), 4));
}

TEST(RidgeTest, MoreColumnsThanRows) {
  const RidgeData d = made(13, 30, 3, 0.5);
  expect_closed_form(d, best_penalty(d, 3));
}

TEST(RidgeTest, OneGroupCannotChooseAndLightColumnsNeedNot) {
  RidgeData d = made(20, 4, 1, 1.0);
  expect_closed_form(d, kUnchosenPenalty);
  d.light = 4;
  expect_closed_form(d, kLightPenalty);
}

TEST(RidgeTest, EqualColumnsShareAndConstantOnesAreDropped) {
  const RidgeData three = made(40, 3, 4, 0.1);
  RidgeData d{5, {}, three.y, three.group, 0};
  for (std::size_t r = 0; r < three.y.size(); ++r) {
    const double* x = three.x.data() + 3 * r;
    d.x.insert(d.x.end(), {0.1, x[1], x[2], x[1], -7});
  }
  const Ridge fit = fit_ridge(d, 1);
  EXPECT_EQ(fit.weights[0], 0.0);
  EXPECT_EQ(fit.weights[4], 0.0);
  EXPECT_NEAR(fit.weights[1], fit.weights[3], 1e-9);
  EXPECT_GT(std::abs(fit.weights[1]), 0.1);
}

TEST(RidgeTest, NothingToLearnFrom) {
  const Ridge constant = fit_ridge({1, {2, 2, 2}, {1, 2, 6}, {0, 1, 2}, 0}, 1);
  EXPECT_EQ(constant.weights, Values{0});
  EXPECT_NEAR(constant.intercept, 3.0, 4 * kEpsilon);
  EXPECT_EQ(fit_ridge({0, {}, {5}, {0}, 0}, 1).intercept, 5.0);
  EXPECT_EQ(fit_ridge({2, {1, 9}, {5}, {0}, 1}, 1).predict(Values{3, 3}), 5.0);
}

}  // namespace
}  // namespace cdt
