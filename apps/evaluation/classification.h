// Classification of pairs: how well predictions rank pairs with an effect above the others. The
// score of a pair is minus its prediction, since silencing an enhancer lowers expression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "io/dataset/dataset.h"
#include "io/format/json_types.h"
#include "model/stats/bootstrap.h"
#include "model/stats/ranking.h"

namespace cdt {

/// Which pairs are positive.
struct Positives {
  std::vector<bool> is_positive;  // one per pair
  Nullable<double> below;         // effects below this are positive; null: those with label 1
};
/// The pairs with an effect below `below`, if that is given, or else with label 1; nothing if the
/// data set has no labels either.
std::optional<Positives> positives_of(const std::vector<Pair>& pairs, std::optional<double> below);

/// RankingMetrics with their intervals over loci.
struct RankingScore {
  Estimate auprc, auroc, precision_at_recall;

  template <class V>
  void fields(V& v) {
    v("auprc", auprc);
    v("auroc", auroc);
    v("precision_at_70_recall", precision_at_recall);
  }
};

/// RankingMetrics of some predictions, of all pairs and of each draw of the bootstrap.
class RankingDraws {
 public:
  RankingDraws(std::span<const float> predictions, const std::vector<bool>& is_positive,
               std::span<const std::int32_t> loci, const BootstrapOptions& bootstrap);

  RankingScore score() const;
  /// This minus the other, both over the same draws.
  RankingScore minus(const RankingDraws& other) const;

 private:
  RankingMetrics value_;
  std::vector<RankingMetrics> drawn_;
  double level_;
};

struct BaselineClassification {
  RankingScore score;
  RankingScore difference;  // of the model minus the baseline

  template <class V>
  void fields(V& v) {
    score.fields(v);
    v("difference", difference);
  }
};

struct Classification {
  std::int64_t positives = 0;
  Nullable<double> below;  // as in Positives
  Estimate prevalence;     // share of positives
  RankingScore model;
  std::vector<BaselineClassification> baselines;  // in the order of the evaluation's
  std::size_t strongest = 0;                      // of the baselines, by AUPRC

  template <class V>
  void fields(V& v) {
    v("positives", positives);
    v("beta_below", below);
    v("prevalence", prevalence);
    model.fields(v);
  }
};

Classification classify(const Positives& positives, std::span<const float> predictions,
                        const std::vector<BaselinePrediction>& baselines,
                        std::span<const std::int32_t> loci, const BootstrapOptions& bootstrap);

}  // namespace cdt
