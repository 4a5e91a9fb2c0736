// How well scores rank positives above the rest: average precision (AUPRC), AUROC and precision at
// a given recall or count. Equal scores always enter a ranking together, so that their order in a
// file never counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

/// The recall of RankingMetrics::precision_at_recall, as enhancer benchmarks report it.
inline constexpr double kReportedRecall = 0.7;

/// NaN if undefined: all three without positives, auroc also without negatives.
struct RankingMetrics {
  /// Average precision: the sum over thresholds of precision times gain in recall. Equal scores
  /// reach the share of positives; random ones exceed it on average, by more the fewer positives.
  double auprc = 0;
  /// Area under the ROC curve: the probability that a positive's score exceeds a negative's, ties
  /// counting half (the Mann-Whitney U divided by the product of the two counts).
  double auroc = 0;
  /// Precision at the highest threshold whose recall is at least kReportedRecall.
  double precision_at_recall = 0;
};

/// Items sorted by score once, to be evaluated with any multiplicities.
class Ranking {
 public:
  /// One finite score and flag per item.
  Ranking(std::span<const double> scores, const std::vector<bool>& is_positive);

  RankingMetrics metrics() const;
  /// Metrics of a sample in which item i occurs times[i] times, a whole number.
  RankingMetrics metrics(std::span<const double> times) const;

 private:
  struct Item {
    std::size_t index;  // into scores
    bool positive;
    bool last_of_score;  // the next item has a lower score
  };
  template <class Times>
  RankingMetrics evaluate(const Times& times) const;

  std::vector<Item> items_;  // by descending score
};

/// RankingMetrics::auroc of positives against negatives.
double auroc(std::span<const double> positives, std::span<const double> negatives);

/// Fraction of the `k` highest scores that are positive. Equal scores at the border are equally
/// likely to be among them, so this is the expected fraction. scores and is_positive have equal
/// length, 1 <= k <= length.
double precision_at(std::int64_t k, std::span<const double> scores,
                    const std::vector<bool>& is_positive);

}  // namespace cdt
