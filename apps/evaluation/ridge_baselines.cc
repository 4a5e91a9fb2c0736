#include "apps/evaluation/ridge_baselines.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "engine/error.h"
#include "engine/poll.h"
#include "model/stats/ridge.h"
#include "model/stats/shrinkage.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

/// Power law by which contact between two places falls with their distance; the distance below
/// which it is constant.
constexpr double kContactPower = -0.7, kContactFrom = 5000.0;

/// Which optional columns a regression has.
struct Blocks {
  bool rna = false;     // RNA embedding of the gene, and its products with the contact
  bool dna = false;     // mean DNA features of the window
  bool centre = false;  // those of its centre, and their products with the contact
};

/// DNA features of the enhancers of some pairs: means over the bins of the window, and over the bin
/// or the two bins at its centre.
struct PooledDna {
  PooledDna(const Dataset& data, std::initializer_list<const std::vector<Pair>*> lists)
      : width(static_cast<std::size_t>(data.dna_dim)) {
    for (const std::vector<Pair>* pairs : lists) {
      for (const Pair& p : *pairs) rows[p.enhancer];
    }
    const auto bins = static_cast<std::size_t>(data.bins);
    std::vector<float> window(bins * width);
    for (auto& [enhancer, row] : rows) {  // in the order of the file, to read it front to back
      poll();
      data.read_dna(enhancer, window.data());
      append_mean(window, 0, bins, &row);
      append_mean(window, (bins - 1) / 2, bins / 2 + 1, &row);
    }
  }

  std::size_t width;                                 // features
  std::map<std::int32_t, std::vector<double>> rows;  // (2 * width) by enhancer

 private:
  void append_mean(const std::vector<float>& window, std::size_t begin, std::size_t end,
                   std::vector<double>* out) const {
    const std::size_t first = out->size();
    out->resize(first + width);
    for (std::size_t i = begin * width; i < end * width; ++i) {
      (*out)[first + i % width] += window[i] / static_cast<double>(end - begin);
    }
  }
};

/// RNA embeddings of the genes of some pairs, those of each pair's sample.
class PairRna {
 public:
  PairRna(const Dataset& data, std::initializer_list<const std::vector<Pair>*> lists)
      : data_(data) {
    if (data.samples.empty()) return;
    std::map<std::int32_t, std::set<std::int32_t>> genes;  // by sample
    for (const std::vector<Pair>* pairs : lists) {
      for (const Pair& p : *pairs) genes[p.sample].insert(p.gene);
    }
    for (const auto& [sample, of_sample] : genes) {
      poll();
      const std::vector<float> rna = data.rna_of(sample);
      for (const std::int32_t gene : of_sample) {
        const auto row = rna.begin() + gene * data.rna_dim;
        rows_[{sample, gene}].assign(row, row + data.rna_dim);
      }
    }
  }

  const float* of(const Pair& pair) const {
    return data_.samples.empty() ? &data_.rna[pair.gene * data_.rna_dim]
                                 : rows_.at({pair.sample, pair.gene}).data();
  }

 private:
  const Dataset& data_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::vector<float>> rows_;  // by sample and gene
};

constexpr std::int64_t kLightColumns = 6;

/// The columns of a regression.
class RidgeColumns {
 public:
  /// dna: may be null if blocks need none.
  RidgeColumns(const Dataset& data, const PlacedPairs& train, const PairRna& rna,
               const PooledDna* dna, const Blocks& blocks)
      : data_(data), rna_(rna), dna_(dna), blocks_(blocks) {
    std::vector<double> distances;
    for (const std::optional<Place>& place : train.places) {
      if (place) distances.push_back(static_cast<double>(place->distance));
    }
    if (!distances.empty()) typical_distance_ = median(distances);
  }

  std::int64_t count() const {
    return kLightColumns + (blocks_.rna ? 2 * data_.rna_dim : 0) +
           (blocks_.dna ? data_.dna_dim : 0) + (blocks_.centre ? 2 * data_.dna_dim : 0);
  }

  void append(const Pair& pair, const std::optional<Place>& place, double gene_mean,
              std::vector<double>* out) const {
    const double distance = place ? static_cast<double>(place->distance) : typical_distance_;
    const double contact = std::pow(std::max(distance, kContactFrom), kContactPower);
    const double log = std::log1p(distance);
    out->insert(out->end(),
                {log, log * log, contact, place ? place->side : 0.0, place ? 1.0 : 0.0, gene_mean});
    const auto append_products = [&](const auto* values, std::int64_t n) {
      out->insert(out->end(), values, values + n);
      for (std::int64_t i = 0; i < n; ++i) out->push_back(values[i] * contact);
    };
    if (blocks_.rna) append_products(rna_.of(pair), data_.rna_dim);
    if (!blocks_.dna) return;
    const double* dna = dna_->rows.at(pair.enhancer).data();
    out->insert(out->end(), dna, dna + data_.dna_dim);
    if (blocks_.centre) append_products(dna + data_.dna_dim, data_.dna_dim);
  }

 private:
  const Dataset& data_;
  const PairRna& rna_;
  const PooledDna* dna_;
  Blocks blocks_;
  double typical_distance_ = 0;
};

/// What both regressions share: the effects, and the gene means of both sets of pairs.
struct Given {
  const Dataset& data;
  const PlacedPairs& train;
  const PlacedPairs& predicted;
  const PairRna& rna;
  std::vector<double> effects, other_means, means;  // of training pairs twice, of genes
  std::vector<std::int32_t> locus;                  // of each training pair
  int threads = 1;
};

/// A regression and its columns.
struct Fitted {
  RidgeColumns columns;
  Ridge ridge;
  Blocks blocks;
};

Fitted fit(const Given& given, const PooledDna* dna, const Blocks& blocks) {
  const RidgeColumns columns(given.data, given.train, given.rna, dna, blocks);
  RidgeData rows{.columns = columns.count(),
                 .x = {},
                 .y = given.effects,
                 .group = given.locus,
                 .light = kLightColumns};
  const std::vector<Pair>& train = given.train.pairs;
  rows.x.reserve(train.size() * static_cast<std::size_t>(rows.columns));
  for (std::size_t i = 0; i < train.size(); ++i) {
    columns.append(train[i], given.train.places[i], given.other_means[i], &rows.x);
  }
  return {columns, fit_ridge(std::move(rows), given.threads), blocks};
}

/// Fits with `larger` blocks, if they are wanted, and returns the fit that predicts held-out loci
/// better.
Fitted better(Fitted smaller, const Given& given, const PooledDna* dna, const Blocks& larger,
              bool wanted) {
  if (!wanted) return smaller;
  Fitted other = fit(given, dna, larger);
  return other.ridge.held_out_mse < smaller.ridge.held_out_mse ? std::move(other)
                                                               : std::move(smaller);
}

BaselinePrediction predictions_of(const char* name, const Fitted& fitted, const Given& given) {
  BaselinePrediction out = empty_baseline(name);
  std::vector<double> row;
  for (std::size_t i = 0; i < given.predicted.pairs.size(); ++i) {
    const Pair& pair = given.predicted.pairs[i];
    row.clear();
    fitted.columns.append(pair, given.predicted.places[i],
                          given.means[static_cast<std::size_t>(pair.gene)], &row);
    out.predictions.push_back(static_cast<float>(fitted.ridge.predict(row)));
  }
  return out;
}

}  // namespace

std::vector<BaselinePrediction> ridge_baselines(const Dataset& data, const PlacedPairs& train,
                                                const PlacedPairs& predicted,
                                                const std::vector<std::int32_t>& locus_of_enhancer,
                                                int threads) {
  CDT_CHECK(!train.pairs.empty(), "baselines need training pairs");
  const PairRna rna(data, {&train.pairs, &predicted.pairs});
  Given given{data, train, predicted, rna, effects_of(train.pairs), {}, {}, {}, threads};
  const std::vector<std::int32_t> gene = column(train.pairs, &Pair::gene);
  given.means = shrink_means(given.effects, gene, data.genes.size()).means;
  for (const Pair& p : train.pairs) {
    given.locus.push_back(locus_of_enhancer.at(static_cast<std::size_t>(p.enhancer)));
  }
  const std::set<std::int32_t> trained(given.locus.begin(), given.locus.end());
  const bool new_loci =
      std::none_of(predicted.pairs.begin(), predicted.pairs.end(), [&](const Pair& p) {
        return trained.count(locus_of_enhancer[static_cast<std::size_t>(p.enhancer)]) > 0;
      });
  std::vector<std::int32_t> own(train.pairs.size());
  std::iota(own.begin(), own.end(), 0);
  given.other_means =
      leave_unit_out_means(given.effects, gene, data.genes.size(), new_loci ? given.locus : own);
  const Fitted no_dna = better(fit(given, nullptr, {}), given, nullptr, {.rna = true},
                               2 * data.rna_dim <= kMostPooledFeatures);
  std::vector<BaselinePrediction> out{predictions_of("ridge_no_dna", no_dna, given)};
  if (data.dna_dim > kMostPooledFeatures) return out;
  const PooledDna dna(data, {&train.pairs, &predicted.pairs});
  const Blocks pooled{.rna = no_dna.blocks.rna, .dna = true};
  const Fitted with_dna = better(fit(given, &dna, pooled), given, &dna,
                                 {.rna = pooled.rna, .dna = true, .centre = true},
                                 3 * data.dna_dim <= kMostPooledFeatures);
  out.push_back(predictions_of("ridge", with_dna, given));
  return out;
}

}  // namespace cdt
