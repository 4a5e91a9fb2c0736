#include "apps/evaluation/position_baselines.h"

#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "engine/error.h"
#include "io/dataset/gene_starts.h"
#include "io/dataset/loci.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

double log_distance(const Place& place) { return std::log1p(static_cast<double>(place.distance)); }

BaselinePrediction distance_baseline(const PlacedPairs& train, const Places& places) {
  const std::vector<double> effects = effects_of(train.pairs);
  std::vector<double> distances;
  std::vector<double> of_known;
  for (std::size_t i = 0; i < train.places.size(); ++i) {
    if (!train.places[i]) continue;
    distances.push_back(log_distance(*train.places[i]));
    of_known.push_back(effects[i]);
  }
  const double all = mean(effects);
  const double slope = regression_slope(distances, of_known);
  const bool flat = std::isnan(slope) || slope == 0;
  const double intercept = mean(of_known) - slope * mean(distances);
  BaselinePrediction out = empty_baseline("distance");
  for (const std::optional<Place>& p : places) {
    out.predictions.push_back(
        static_cast<float>(p && !flat ? intercept + slope * log_distance(*p) : all));
  }
  return out;
}

bool is_nearest(const std::optional<Place>& place) { return place && place->nearest; }

BaselinePrediction nearest_gene_baseline(const PlacedPairs& train, const Places& places) {
  const std::vector<double> effects = effects_of(train.pairs);
  std::vector<double> nearest;
  std::vector<double> others;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    (is_nearest(train.places[i]) ? nearest : others).push_back(effects[i]);
  }
  if (nearest.empty() || others.empty()) nearest = others = effects;
  const double of_nearest = mean(nearest);
  const double of_others = mean(others);
  BaselinePrediction out = empty_baseline("nearest_gene");
  for (const std::optional<Place>& p : places) {
    out.predictions.push_back(static_cast<float>(is_nearest(p) ? of_nearest : of_others));
  }
  return out;
}

}  // namespace

std::vector<BaselinePrediction> position_baselines(const PlacedPairs& train,
                                                   const PlacedPairs& predicted) {
  CDT_CHECK(!train.pairs.empty(), "baselines need training pairs");
  return {distance_baseline(train, predicted.places),
          nearest_gene_baseline(train, predicted.places)};
}

void add_gene_starts_option(Cli* cli, std::filesystem::path* file) {
  cli->option("genes", file,
              "BED file (plain or gzip) of genes by symbol; adds baselines that use the distance "
              "to a gene's start, alone and in a ridge regression, and the numbers by distance; "
              "default: the data set's own gene table, if it has one");
}

FittedBaselines fit_baselines(const BaselineChoice& choice, const Dataset& data,
                              const std::vector<Pair>& pairs, bool quiet) {
  const std::vector<Pair> train = data.pairs_of(Split::kTrain);
  if (train.empty()) {
    if (choice.genes.empty() && !choice.ridge) return {};
    throw InputError((data.directory / "pairs.tsv").string(), "split",
                     std::string(choice.genes.empty() ? "--ridge" : "--genes") +
                         " needs training pairs to fit its baselines on, there are none");
  }
  const std::optional<ChosenGeneStarts> genes = choose_gene_starts(choice.genes, data);
  FittedBaselines out{gene_baselines(train, pairs), {}};
  const auto add = [&](std::vector<BaselinePrediction> more) {
    std::move(more.begin(), more.end(), std::back_inserter(out.predictions));
  };
  PlacedPairs of_train{train, Places(train.size())};
  PlacedPairs of_pairs{pairs, Places(pairs.size())};
  if (genes) {
    const std::string remark = genes->starts.remark(genes->file);
    if (!remark.empty() && !quiet) note(remark);
    of_train.places = places_of(data, genes->starts, train);
    out.places = of_pairs.places = places_of(data, genes->starts, pairs);
    out.gene_starts = genes->file;
    add(position_baselines(of_train, of_pairs));
  }
  if (!genes && !choice.ridge) return out;
  if (data.dna_dim > kMostPooledFeatures && !quiet) {
    note("the windows have more than " + std::to_string(kMostPooledFeatures) +
         " features per bin: the ridge regression is fitted without DNA only");
  }
  add(ridge_baselines(data, of_train, of_pairs, loci_of(data)));
  return out;
}

}  // namespace cdt
