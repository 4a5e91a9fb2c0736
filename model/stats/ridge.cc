#include "model/stats/ridge.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "engine/error.h"
#include "model/stats/cholesky.h"

namespace cdt {
namespace {

/// A column whose standard deviation, relative to its largest value, is below this is constant up
/// to rounding.
constexpr double kConstant = 1e-12;

double dot(const double* a, const double* b, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// The data with its varying columns standardised and y centred.
struct Design {
  std::int64_t rows, columns = 0, light = 0;
  std::vector<double> x, y;
  double y_mean = 0;
  std::vector<std::size_t> kept;  // their indices in RidgeData
  std::vector<double> mean, sd;   // of the kept columns

  explicit Design(RidgeData& data) : rows(static_cast<std::int64_t>(data.y.size())) {
    find_columns(data);
    x = std::move(data.x);
    double* out = x.data();  // in-place: never ahead of what has been read
    for (std::int64_t r = 0; r < rows; ++r) {
      const double* in = x.data() + r * data.columns;
      for (std::size_t c = 0; c < kept.size(); ++c) *out++ = (in[kept[c]] - mean[c]) / sd[c];
    }
    x.resize(static_cast<std::size_t>(rows * columns));
    y = std::move(data.y);
    for (const double value : y) y_mean += value / static_cast<double>(rows);
    for (double& value : y) value -= y_mean;
  }

  const double* row(std::int64_t r) const { return x.data() + r * columns; }

 private:
  void find_columns(const RidgeData& data) {
    const auto count = static_cast<std::size_t>(data.columns);
    std::vector<double> means(count);
    std::vector<double> squares(count);
    std::vector<double> largest(count);
    const auto for_each = [&](const auto& body) {
      for (std::int64_t r = 0; r < rows; ++r) {
        const double* in = data.x.data() + r * data.columns;
        for (std::size_t c = 0; c < count; ++c) body(c, in[c]);
      }
    };
    const auto n = static_cast<double>(rows);
    for_each([&](std::size_t c, double value) {
      means[c] += value / n;
      largest[c] = std::max(largest[c], std::abs(value));
    });
    for_each([&](std::size_t c, double value) {
      squares[c] += (value - means[c]) * (value - means[c]) / n;
    });
    for (std::size_t c = 0; c < count; ++c) {
      const double deviation = std::sqrt(squares[c]);
      if (!(deviation > kConstant * largest[c])) continue;
      kept.push_back(c);
      mean.push_back(means[c]);
      sd.push_back(deviation);
      light += static_cast<std::int64_t>(c) < data.light ? 1 : 0;
    }
    columns = static_cast<std::int64_t>(kept.size());
  }
};

struct Fit {
  double intercept = 0;
  std::vector<double> weights;
};

/// The normal equations of some rows of a design.
class Equations {
 public:
  explicit Equations(const Design& design, int threads)
      : design_(&design),
        threads_(threads),
        gram_(static_cast<std::size_t>(design.columns * design.columns)),
        sums_(static_cast<std::size_t>(design.columns)),
        products_(static_cast<std::size_t>(design.columns)) {}

  /// Adds rows (sign 1) or removes them (-1).
  void add(double sign, const std::vector<std::int64_t>& rows) {
    std::vector<const double*> x;
    for (const std::int64_t r : rows) {
      const double y = design_->y[static_cast<std::size_t>(r)];
      x.push_back(design_->row(r));
      rows_ += sign;
      y_sum_ += sign * y;
      for (std::size_t c = 0; c < sums_.size(); ++c) {
        sums_[c] += sign * x.back()[c];
        products_[c] += sign * x.back()[c] * y;
      }
    }
    add_gram(sign, x, design_->columns, gram_.data(), design_->columns, threads_);
  }

  /// Centres what add() has accumulated on the rows' means; call once, before solve().
  void centre() {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      double* row = gram_.data() + i * sums_.size();
      for (std::size_t j = i; j < sums_.size(); ++j) row[j] -= sums_[i] / rows_ * sums_[j];
      products_[i] -= sums_[i] / rows_ * y_sum_;
    }
  }

  /// Solves for one penalty; `space` is a workspace of the matrix's size.
  Fit solve(double penalty, std::vector<double>* space) const {
    *space = gram_;
    const auto n = static_cast<std::int64_t>(sums_.size());
    for (std::int64_t c = 0; c < n; ++c) {
      (*space)[static_cast<std::size_t>(c * n + c)] +=
          rows_ * (c < design_->light ? kLightPenalty : penalty);
    }
    cholesky(space->data(), n, threads_);
    Fit out{0, products_};
    cholesky_solve(space->data(), n, out.weights.data());
    out.intercept = (y_sum_ - dot(sums_.data(), out.weights.data(), n)) / rows_;
    return out;
  }

 private:
  const Design* design_;
  int threads_;
  double rows_ = 0, y_sum_ = 0;
  std::vector<double> gram_, sums_, products_;  // X^T X (upper triangle), X^T 1, X^T y
};

/// Returns the rows of each fold.
std::vector<std::vector<std::int64_t>> folds_of(const std::vector<std::int32_t>& group) {
  std::map<std::int32_t, std::vector<std::int64_t>> rows;
  for (std::size_t r = 0; r < group.size(); ++r) {
    rows[group[r]].push_back(static_cast<std::int64_t>(r));
  }
  std::vector<std::vector<std::int64_t>> groups;
  for (auto& [number, list] : rows) groups.push_back(std::move(list));
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::vector<std::vector<std::int64_t>> folds(std::min<std::size_t>(kRidgeFolds, groups.size()));
  for (const auto& list : groups) {
    auto& smallest =
        *std::min_element(folds.begin(), folds.end(),
                          [](const auto& a, const auto& b) { return a.size() < b.size(); });
    smallest.insert(smallest.end(), list.begin(), list.end());
  }
  return folds;
}

struct Choice {
  double penalty = kUnchosenPenalty;
  double error = 0;  // sum of squares over held-out rows
};

Choice choose_penalty(const Design& design, const Equations& whole,
                      const std::vector<std::int32_t>& group, std::vector<double>* space) {
  const std::vector<std::vector<std::int64_t>> folds = folds_of(group);
  if (folds.size() < 2) return {};
  std::array<double, kRidgePenalties.size()> error{};
  for (const std::vector<std::int64_t>& fold : folds) {
    Equations others = whole;
    others.add(-1, fold);
    others.centre();
    for (std::size_t i = 0; i < error.size(); ++i) {
      const Fit fit = others.solve(kRidgePenalties[i], space);
      for (const std::int64_t r : fold) {
        const double miss = design.y[static_cast<std::size_t>(r)] - fit.intercept -
                            dot(design.row(r), fit.weights.data(), design.columns);
        error[i] += miss * miss;
      }
    }
  }
  std::size_t best = error.size() - 1;
  for (std::size_t i = best; i-- > 0;) {
    if (error[i] < error[best]) best = i;
  }
  return {kRidgePenalties[best], error[best]};
}

}  // namespace

double Ridge::predict(std::span<const double> row) const {
  return intercept + dot(weights.data(), row.data(), static_cast<std::int64_t>(weights.size()));
}

Ridge fit_ridge(RidgeData data, int threads) {
  CDT_CHECK(!data.y.empty() && data.group.size() == data.y.size() &&
                data.x.size() == data.y.size() * static_cast<std::size_t>(data.columns),
            "ridge: shapes differ");
  Ridge out;
  out.weights.resize(static_cast<std::size_t>(data.columns));
  const Design design(data);
  std::vector<std::int64_t> all(design.y.size());
  for (std::size_t r = 0; r < all.size(); ++r) all[r] = static_cast<std::int64_t>(r);
  Equations whole(design, threads);
  whole.add(1, all);
  std::vector<double> space;
  const Choice choice = choose_penalty(design, whole, data.group, &space);
  out.penalty = design.light == design.columns ? kLightPenalty : choice.penalty;
  out.held_out_mse = choice.error / static_cast<double>(all.size());
  whole.centre();
  const Fit fit = whole.solve(out.penalty, &space);
  out.intercept = design.y_mean + fit.intercept;
  for (std::size_t c = 0; c < design.kept.size(); ++c) {
    const double weight = fit.weights[c] / design.sd[c];
    out.weights[design.kept[c]] = weight;
    out.intercept -= weight * design.mean[c];
  }
  return out;
}

}  // namespace cdt
