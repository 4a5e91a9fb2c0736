#include "apps/train/pair_weights.h"

#include <algorithm>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr double kLeastShare = 0.1;  // of the effects' variance that tau^2 is

double square(double x) { return x * x; }

}  // namespace

PairWeights::PairWeights(const TrainSettings& settings, const Dataset& data)
    : enabled_(settings.pair_weights == kWeightsBySe) {
  if (!enabled_) return;
  std::vector<double> effects, squares;
  for (const Pair& pair : data.pairs_of(Split::kTrain)) {
    if (pair.se <= 0.0F) {
      throw InputError((data.directory / "pairs.tsv").string(), "se",
                       "there is no such column; --pair-weights se needs it");
    }
    effects.push_back(pair.beta);
    squares.push_back(square(pair.se));
  }
  if (effects.size() < 2) return;
  const double variance = square(standard_deviation(effects));
  tau_squared_ = std::max(variance - mean(squares), kLeastShare * variance);
  std::vector<double> weights;
  for (const double se_squared : squares) weights.push_back(1.0 / (se_squared + tau_squared_));
  factor_ = 1.0 / mean(weights);
}

float PairWeights::of(const Pair& pair) const {
  if (!enabled_) return 1.0F;
  return static_cast<float>(factor_ / (square(pair.se) + tau_squared_));
}

std::vector<float> PairWeights::of(const std::vector<Pair>& pairs) const {
  std::vector<float> out;
  for (const Pair& pair : pairs) out.push_back(of(pair));
  return out;
}

}  // namespace cdt
