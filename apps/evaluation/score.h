// The numbers by which every set of predictions is judged, each with its interval over loci.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/dataset/dataset.h"
#include "model/stats/bootstrap.h"
#include "model/stats/statistics.h"

namespace cdt {

/// r of values centred on their gene's, or enhancer's, mean over the evaluated pairs.
struct WithinScore {
  std::int64_t pairs = 0, groups = 0;  // of genes, or enhancers, with at least two pairs
  Estimate pearson;                    // NaN for predictions that do not differ within any
};

/// Score of one set of predictions.
struct Score {
  Metrics metrics;
  Interval pearson_interval;  // over loci
  /// Slope of the least-squares line of the effects on the predictions: 1 if they are calibrated,
  /// less if they are spread too far. NaN for a constant prediction.
  Estimate calibration_slope;
  WithinScore within_genes;       // whether it knows which enhancer acts on a gene
  WithinScore within_enhancers;   // whether it knows on which gene an enhancer acts
  double share_of_ceiling = 0;    // NaN without a noise ceiling
  bool constant = false;          // all predictions equal: correlations are undefined
  bool constant_effects = false;  // all effects equal: R2 is undefined, too

  Estimate pearson() const { return {metrics.pearson, pearson_interval}; }
  /// Makes what depends on the size of predictions undefined: R2, MSE, MAE and the slope.
  void drop_sizes() {
    metrics.drop_sizes();
    calibration_slope = Estimate{};
  }
};

/// Pairs of which predictions are scored.
class ScoredPairs {
 public:
  ScoredPairs(const std::vector<Pair>& pairs, const std::vector<std::int32_t>& locus_of,
              double noise_ceiling, const BootstrapOptions& bootstrap);

  const std::vector<float>& target() const { return target_; }
  std::span<const std::int32_t> loci() const { return loci_; }  // of each pair
  const BootstrapOptions& bootstrap() const { return bootstrap_; }

  Score score(std::span<const float> predictions) const;
  Estimate pearson(std::span<const float> predictions) const;
  /// The pairs whose flag is set, without a noise ceiling.
  ScoredPairs some(const std::vector<bool>& flags) const;

 private:
  ScoredPairs() = default;
  WithinScore within(std::span<const float> predictions,
                     const std::vector<std::int32_t>& group) const;

  std::vector<float> target_;
  std::vector<std::int32_t> loci_, genes_, enhancers_;
  double noise_ceiling_ = kNaN;
  BootstrapOptions bootstrap_;
};

}  // namespace cdt
