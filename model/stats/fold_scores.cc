#include "model/stats/fold_scores.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/error.h"
#include "model/stats/ranking.h"

namespace cdt {
namespace {

using Times = std::vector<double>;  // how often each pair of a fold is drawn

/// The pairs of a fold.
struct Fold {
  std::vector<std::size_t> pairs;
  std::vector<double> target;
  std::vector<bool> positive;

  Times times_of(std::span<const double> all) const {
    Times out;
    for (const std::size_t pair : pairs) out.push_back(all[pair]);
    return out;
  }
};

std::vector<Fold> folds_of(const FoldedTargets& targets) {
  const auto count =
      static_cast<std::size_t>(*std::max_element(targets.fold.begin(), targets.fold.end()) + 1);
  std::vector<Fold> out(count);
  for (std::size_t i = 0; i < targets.target.size(); ++i) {
    Fold& fold = out[static_cast<std::size_t>(targets.fold[i])];
    fold.pairs.push_back(i);
    fold.target.push_back(targets.target[i]);
    if (!targets.positive.empty()) fold.positive.push_back(targets.positive[i]);
  }
  return out;
}

/// r of a sample in which pair i occurs times[i] times; 0 if a side is constant. x and y are
/// centred on the means of the whole fold, to avoid cancellation.
double resampled_pearson(const std::vector<double>& x, const std::vector<double>& y,
                         const Times& times) {
  double n = 0, sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double t = times[i];
    n += t;
    sx += t * x[i];
    sy += t * y[i];
    xx += t * x[i] * x[i];
    yy += t * y[i] * y[i];
    xy += t * x[i] * y[i];
  }
  const double vx = xx - sx * sx / n;
  const double vy = yy - sy * sy / n;
  if (!(vx > 1e-14 * xx) || !(vy > 1e-14 * yy)) return 0;  // rounding, or nothing drawn
  return std::clamp((xy - sx * sy / n) / std::sqrt(vx * vy), -1.0, 1.0);
}

std::vector<double> centred(std::vector<double> values) {
  const double all = mean(values);
  for (double& value : values) value -= all;
  return values;
}

/// Predictions of one member in one fold.
class FoldPredictions {
 public:
  FoldPredictions(const Fold& fold, const std::vector<float>& all) : target_(centred(fold.target)) {
    std::vector<double> scores;
    for (const std::size_t pair : fold.pairs) {
      x_.push_back(all[pair]);
      scores.push_back(-x_.back());
    }
    x_ = centred(std::move(x_));
    const auto [least, most] = std::minmax_element(fold.target.begin(), fold.target.end());
    has_pearson_ = *least < *most;
    if (!fold.positive.empty()) ranking_.emplace_back(scores, fold.positive);
  }

  double pearson(const Times& times) const {
    return has_pearson_ ? resampled_pearson(x_, target_, times) : kNaN;
  }
  double auprc(const Times& times) const {
    return ranking_.empty() ? kNaN : ranking_.front().metrics(times).auprc;
  }

 private:
  std::vector<double> target_, x_;
  bool has_pearson_ = true;       // not all targets are equal
  std::vector<Ranking> ranking_;  // one, or none without positives
};

/// A score of each member in each fold.
class Grid {
 public:
  Grid(std::size_t members, std::size_t folds)
      : folds_(folds), values_(members * folds), members_(members) {}
  double& at(std::size_t member, std::size_t fold) { return values_[member * folds_ + fold]; }

  double mean_of_all() const { return mean(values_); }
  std::vector<double> of_folds() {
    std::vector<double> out(folds_);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      out[i % folds_] += values_[i] / static_cast<double>(members_);
    }
    return out;
  }
  std::vector<double> of_members() {
    std::vector<double> out(members_);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      out[i / folds_] += values_[i] / static_cast<double>(folds_);
    }
    return out;
  }

 private:
  std::size_t folds_;
  std::vector<double> values_;
  std::size_t members_;
};

/// One kind of prediction, ready to be scored in any sample.
class Kind {
 public:
  Kind(const std::vector<Fold>& folds, const Members& members) : folds_(folds.size()) {
    for (const std::vector<float>& member : members) {
      for (const Fold& fold : folds) cells_.emplace_back(fold, member);
    }
  }

  /// Scores in a sample; times: of each fold.
  std::pair<Grid, Grid> scores(const std::vector<Times>& times) const {
    Grid pearson(cells_.size() / folds_, folds_), auprc = pearson;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const std::size_t fold = i % folds_;
      pearson.at(i / folds_, fold) = cells_[i].pearson(times[fold]);
      auprc.at(i / folds_, fold) = cells_[i].auprc(times[fold]);
    }
    return {std::move(pearson), std::move(auprc)};
  }

 private:
  std::size_t folds_;
  std::vector<FoldPredictions> cells_;  // (members, folds)
};

/// Values of a score in the replicates, of every kind.
using Replicates = std::vector<std::vector<double>>;  // (kinds, replicates)

Interval interval_of(const Replicates& values, std::size_t kind, double level) {
  return percentile_interval(values[kind], level);
}

Interval gain_interval(const Replicates& values, std::size_t reference, std::size_t kind,
                       double level) {
  std::vector<double> gains;
  for (std::size_t i = 0; i < values[kind].size(); ++i) {
    gains.push_back(values[reference][i] - values[kind][i]);
  }
  return percentile_interval(std::move(gains), level);
}

}  // namespace

std::vector<FoldScore> score_over_folds(const FoldedTargets& targets,
                                        const std::vector<Members>& predictions,
                                        std::size_t reference, const BootstrapOptions& options) {
  CDT_CHECK(reference < predictions.size(), "the reference is one of the predictions");
  const std::vector<Fold> folds = folds_of(targets);
  std::vector<Kind> kinds;
  for (const Members& members : predictions) kinds.emplace_back(folds, members);
  std::vector<Times> once;
  for (const Fold& fold : folds) once.emplace_back(fold.pairs.size(), 1.0);

  std::vector<FoldScore> out;
  for (const Kind& kind : kinds) {
    auto [pearson, auprc] = kind.scores(once);
    out.push_back({{pearson.mean_of_all(), {kNaN, kNaN}},
                   {auprc.mean_of_all(), {kNaN, kNaN}},
                   {},
                   {},
                   pearson.of_folds(),
                   auprc.of_folds(),
                   pearson.of_members(),
                   auprc.of_members()});
  }
  Replicates pearson(kinds.size()), auprc(kinds.size());
  for_each_resample(targets.cluster, options, [&](std::span<const double> all) {
    std::vector<Times> times;
    for (const Fold& fold : folds) times.push_back(fold.times_of(all));
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      const auto [r, precision] = kinds[k].scores(times);
      pearson[k].push_back(r.mean_of_all());
      auprc[k].push_back(precision.mean_of_all());
    }
  });
  const FoldScore& of = out[reference];
  for (std::size_t k = 0; k < out.size(); ++k) {
    FoldScore& score = out[k];
    score.pearson.interval = interval_of(pearson, k, options.level);
    score.auprc.interval = interval_of(auprc, k, options.level);
    if (k == reference) continue;
    score.pearson_gain = {of.pearson.value - score.pearson.value,
                          gain_interval(pearson, reference, k, options.level)};
    score.auprc_gain = {of.auprc.value - score.auprc.value,
                        gain_interval(auprc, reference, k, options.level)};
  }
  return out;
}

}  // namespace cdt
