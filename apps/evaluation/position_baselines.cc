#include "apps/evaluation/position_baselines.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "apps/evaluation/evaluation.h"
#include "engine/error.h"
#include "engine/poll.h"
#include "io/dataset/gene_starts.h"
#include "io/dataset/loci.h"
#include "io/format/text.h"
#include "model/stats/ridge.h"
#include "model/stats/shrinkage.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

/// Position of the enhancer relative to the gene's start.
struct Place {
  double log_distance = 0;
  double side = 0;
};

/// Position of the enhancer, or nothing if it is unknown.
std::optional<Place> place_of(const Dataset& data, const GeneStarts& starts, const Pair& pair) {
  const Enhancer& enhancer = enhancer_of(data, pair);
  const std::optional<GeneStart>& start = starts.of_gene.at(static_cast<std::size_t>(pair.gene));
  if (!start || start->chrom != enhancer.chrom) return std::nullopt;
  const std::int64_t offset = enhancer.centre() - start->position;
  const int sign = offset > 0 ? 1 : offset < 0 ? -1 : 0;
  return Place{std::log1p(static_cast<double>(std::abs(offset))),
               static_cast<double>(sign * start->strand)};
}

using Places = std::vector<std::optional<Place>>;  // one per pair

Places places_of(const Dataset& data, const GeneStarts& starts, const std::vector<Pair>& pairs) {
  Places out;
  for (const Pair& p : pairs) out.push_back(place_of(data, starts, p));
  return out;
}

std::vector<double> known_distances(const Places& places) {
  std::vector<double> out;
  for (const std::optional<Place>& p : places) {
    if (p) out.push_back(p->log_distance);
  }
  return out;
}

std::vector<double> betas(const std::vector<Pair>& pairs) {
  std::vector<double> out;
  for (const Pair& p : pairs) out.push_back(p.beta);
  return out;
}

BaselinePrediction distance_baseline(const std::vector<double>& effects, const Places& train,
                                     const Places& places) {
  const std::vector<double> distances = known_distances(train);
  std::vector<double> of_known;
  for (std::size_t i = 0; i < train.size(); ++i) {
    if (train[i]) of_known.push_back(effects[i]);
  }
  const double all = mean(effects);
  const double x0 = distances.empty() ? 0.0 : mean(distances);
  double y0 = distances.empty() ? all : mean(of_known);
  double squares = 0;
  double products = 0;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    squares += (distances[i] - x0) * (distances[i] - x0);
    products += (distances[i] - x0) * (of_known[i] - y0);
  }
  const double slope = squares > 0 ? products / squares : 0.0;
  if (slope == 0) y0 = all;
  BaselinePrediction out{"distance", "distance", {}};
  for (const std::optional<Place>& p : places) {
    out.predictions.push_back(static_cast<float>(p ? y0 + slope * (p->log_distance - x0) : all));
  }
  return out;
}

/// Mean of each DNA feature over the bins of a window, for the enhancers of some pairs.
class PooledDna {
 public:
  PooledDna(const Dataset& data, const std::vector<Pair>& train, const std::vector<Pair>& pairs) {
    if (data.dna_dim > kMostPooledFeatures) return;
    for (const std::vector<Pair>* list : {&train, &pairs}) {
      for (const Pair& p : *list) rows_[p.enhancer];
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

  /// The means of an enhancer; empty if they are not used.
  std::span<const double> of(std::int32_t enhancer) const {
    const auto row = rows_.find(enhancer);
    return row == rows_.end() ? std::span<const double>() : row->second;
  }
  bool left_out() const { return rows_.empty(); }

 private:
  std::map<std::int32_t, std::vector<double>> rows_;
};

constexpr std::int64_t kLightColumns = 4;

class RidgeColumns {
 public:
  RidgeColumns(const Places& train, const PooledDna& dna) : dna_(dna) {
    const std::vector<double> distances = known_distances(train);
    typical_ = {distances.empty() ? 0.0 : median(distances), 0.0};
  }

  void append(const Pair& pair, const std::optional<Place>& place, double gene_mean,
              std::vector<double>* out) const {
    const Place p = place.value_or(typical_);
    const std::span<const double> dna = dna_.of(pair.enhancer);
    out->insert(out->end(), {p.log_distance, p.side, place ? 1.0 : 0.0, gene_mean});
    out->insert(out->end(), dna.begin(), dna.end());
  }

 private:
  const PooledDna& dna_;
  Place typical_;
};

BaselinePrediction ridge_baseline(const Dataset& data, const std::vector<Pair>& train,
                                  const Places& train_places, const std::vector<Pair>& pairs,
                                  const Places& places,
                                  const std::vector<std::int32_t>& locus_of_enhancer, int threads) {
  const PooledDna dna(data, train, pairs);
  const RidgeColumns columns(train_places, dna);
  RidgeData fitted;
  fitted.columns = kLightColumns + (dna.left_out() ? 0 : data.dna_dim);
  fitted.light = kLightColumns;
  fitted.y = betas(train);
  const std::vector<std::int32_t> gene = column(train, &Pair::gene);
  for (const Pair& p : train) {
    fitted.group.push_back(locus_of_enhancer.at(static_cast<std::size_t>(p.enhancer)));
  }
  const std::vector<double> others = leave_one_out_means(fitted.y, gene, data.genes.size());
  const std::vector<double> of_gene = shrink_means(fitted.y, gene, data.genes.size()).means;
  fitted.x.reserve(train.size() * static_cast<std::size_t>(fitted.columns));
  for (std::size_t i = 0; i < train.size(); ++i) {
    columns.append(train[i], train_places[i], others[i], &fitted.x);
  }
  const Ridge ridge = fit_ridge(std::move(fitted), threads);
  BaselinePrediction out{"ridge", dna.left_out() ? "ridge without DNA" : "ridge", {}};
  std::vector<double> row;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    row.clear();
    columns.append(pairs[i], places[i], of_gene[static_cast<std::size_t>(pairs[i].gene)], &row);
    out.predictions.push_back(static_cast<float>(ridge.predict(row)));
  }
  return out;
}

}  // namespace

std::vector<BaselinePrediction> position_baselines(
    const Dataset& data, const GeneStarts& starts, const std::vector<Pair>& train,
    const std::vector<Pair>& pairs, const std::vector<std::int32_t>& locus_of_enhancer,
    int threads) {
  CDT_CHECK(!train.empty(), "baselines need training pairs");
  const Places train_places = places_of(data, starts, train);
  const Places places = places_of(data, starts, pairs);
  return {distance_baseline(betas(train), train_places, places),
          ridge_baseline(data, train, train_places, pairs, places, locus_of_enhancer, threads)};
}

void add_gene_starts_option(Cli* cli, std::filesystem::path* file) {
  cli->option("genes", file,
              "BED file (plain or gzip) of genes by symbol; adds baselines that use the distance "
              "to a gene's start, alone and in a ridge regression");
}

std::vector<BaselinePrediction> further_baselines(const std::filesystem::path& file,
                                                  const Dataset& data,
                                                  const std::vector<Pair>& pairs, bool quiet) {
  if (file.empty()) return {};
  const std::vector<Pair> train = data.pairs_of(Split::kTrain);
  if (train.empty()) {
    throw InputError((data.directory / "pairs.tsv").string(), "split",
                     "--genes needs training pairs to fit its baselines on, there are none");
  }
  const GeneStarts starts = read_gene_starts(file, data);
  const std::string remark = starts.remark(file);
  if (!remark.empty() && !quiet) note(remark);
  return position_baselines(data, starts, train, pairs, loci_of(data));
}

}  // namespace cdt
