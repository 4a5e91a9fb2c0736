#include "apps/evaluation/ridge_baselines.h"

#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "engine/error.h"
#include "engine/poll.h"
#include "model/stats/ridge.h"
#include "model/stats/shrinkage.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

/// Mean of each DNA feature over the bins of a window, for the enhancers of some pairs.
class PooledDna {
 public:
  PooledDna(const Dataset& data, std::initializer_list<const std::vector<Pair>*> lists) {
    for (const std::vector<Pair>* pairs : lists) {
      for (const Pair& p : *pairs) rows_[p.enhancer];
    }
    const auto width = static_cast<std::size_t>(data.dna_dim);
    std::vector<float> window(static_cast<std::size_t>(data.bins) * width);
    for (auto& [enhancer, row] : rows_) {  // in the order of the file, to read it front to back
      poll();
      data.read_dna(enhancer, window.data());
      row.resize(width);
      for (std::size_t i = 0; i < window.size(); ++i) row[i % width] += window[i];
      for (double& sum : row) sum /= static_cast<double>(data.bins);
    }
  }

  const std::vector<double>& of(std::int32_t enhancer) const { return rows_.at(enhancer); }

 private:
  std::map<std::int32_t, std::vector<double>> rows_;
};

constexpr std::int64_t kLightColumns = 4;

/// The columns of both regressions.
class RidgeColumns {
 public:
  /// dna: null without DNA.
  RidgeColumns(const PlacedPairs& train, const PooledDna* dna) : dna_(dna) {
    std::vector<double> distances;
    for (const std::optional<Place>& place : train.places) {
      if (place) distances.push_back(log_distance(*place));
    }
    if (!distances.empty()) typical_distance_ = median(distances);
  }

  void append(const Pair& pair, const std::optional<Place>& place, double gene_mean,
              std::vector<double>* out) const {
    out->insert(out->end(), {place ? log_distance(*place) : typical_distance_,
                             place ? place->side : 0.0, place ? 1.0 : 0.0, gene_mean});
    if (dna_ == nullptr) return;
    const std::vector<double>& dna = dna_->of(pair.enhancer);
    out->insert(out->end(), dna.begin(), dna.end());
  }

 private:
  static double log_distance(const Place& place) {
    return std::log1p(static_cast<double>(place.distance));
  }

  const PooledDna* dna_;
  double typical_distance_ = 0;
};

/// What both regressions share: the effects, and the gene means of both sets of pairs.
struct Given {
  const PlacedPairs& train;
  const PlacedPairs& predicted;
  std::vector<double> effects, other_means, means;  // of training pairs twice, of genes
  std::vector<std::int32_t> locus;                  // of each training pair
  std::int64_t dna_dim = 0;
  int threads = 1;
};

BaselinePrediction fit_one(const char* name, const Given& given, const PooledDna* dna) {
  const RidgeColumns columns(given.train, dna);
  RidgeData fitted;
  fitted.columns = kLightColumns + (dna == nullptr ? 0 : given.dna_dim);
  fitted.light = kLightColumns;
  fitted.y = given.effects;
  fitted.group = given.locus;
  const std::vector<Pair>& train = given.train.pairs;
  fitted.x.reserve(train.size() * static_cast<std::size_t>(fitted.columns));
  for (std::size_t i = 0; i < train.size(); ++i) {
    columns.append(train[i], given.train.places[i], given.other_means[i], &fitted.x);
  }
  const Ridge ridge = fit_ridge(std::move(fitted), given.threads);
  BaselinePrediction out = empty_baseline(name);
  std::vector<double> row;
  for (std::size_t i = 0; i < given.predicted.pairs.size(); ++i) {
    const Pair& pair = given.predicted.pairs[i];
    row.clear();
    columns.append(pair, given.predicted.places[i],
                   given.means[static_cast<std::size_t>(pair.gene)], &row);
    out.predictions.push_back(static_cast<float>(ridge.predict(row)));
  }
  return out;
}

}  // namespace

std::vector<BaselinePrediction> ridge_baselines(const Dataset& data, const PlacedPairs& train,
                                                const PlacedPairs& predicted,
                                                const std::vector<std::int32_t>& locus_of_enhancer,
                                                int threads) {
  CDT_CHECK(!train.pairs.empty(), "baselines need training pairs");
  Given given{train, predicted, effects_of(train.pairs), {}, {}, {}, data.dna_dim, threads};
  const std::vector<std::int32_t> gene = column(train.pairs, &Pair::gene);
  given.other_means = leave_one_out_means(given.effects, gene, data.genes.size());
  given.means = shrink_means(given.effects, gene, data.genes.size()).means;
  for (const Pair& p : train.pairs) {
    given.locus.push_back(locus_of_enhancer.at(static_cast<std::size_t>(p.enhancer)));
  }
  std::vector<BaselinePrediction> out{fit_one("ridge_no_dna", given, nullptr)};
  if (data.dna_dim > kMostPooledFeatures) return out;
  const PooledDna dna(data, {&train.pairs, &predicted.pairs});
  out.push_back(fit_one("ridge", given, &dna));
  return out;
}

}  // namespace cdt
