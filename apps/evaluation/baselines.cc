#include "apps/evaluation/baselines.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "model/stats/shrinkage.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

/// Effects of the training pairs, with their genes.
struct Effects {
  std::vector<double> values;
  std::vector<std::int32_t> gene;
  std::size_t genes = 0;  // larger than every index in `gene`

  Effects(const std::vector<Pair>& train, std::size_t count)
      : values(effects_of(train)), gene(column(train, &Pair::gene)), genes(count) {
    CDT_CHECK(!train.empty(), "baselines need training pairs");
  }

  /// Returns of(effects of the gene) for every gene, or of(all effects) for a gene without any.
  template <class Statistic>
  std::vector<double> per_gene(const Statistic& of) const {
    std::vector<std::vector<double>> by_gene(genes);
    for (std::size_t i = 0; i < values.size(); ++i) {
      by_gene[static_cast<std::size_t>(gene[i])].push_back(values[i]);
    }
    const double all = of(values);
    std::vector<double> out;
    for (const std::vector<double>& own : by_gene) out.push_back(own.empty() ? all : of(own));
    return out;
  }

  std::vector<double> shrunk() const { return shrink_means(values, gene, genes).means; }

  void clip() {
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const double low = quantile_of_sorted(sorted, kClippedShare);
    const double high = quantile_of_sorted(sorted, 1 - kClippedShare);
    for (double& value : values) value = std::clamp(value, low, high);
  }
};

std::size_t genes_in(const std::vector<Pair>& train, const std::vector<Pair>& pairs) {
  std::size_t count = 0;
  for (const std::vector<Pair>* list : {&train, &pairs}) {
    for (const Pair& p : *list) {
      count = std::max(count, static_cast<std::size_t>(p.gene) + 1);
    }
  }
  return count;
}

}  // namespace

const BaselineName* find_baseline(std::string_view name) {
  const auto* found = std::find_if(kBaselines.begin(), kBaselines.end(),
                                   [&](const BaselineName& known) { return known.name == name; });
  return found == kBaselines.end() ? nullptr : found;
}

BaselinePrediction empty_baseline(const char* name) {
  const BaselineName* found = find_baseline(name);
  CDT_CHECK(found != nullptr, "the name of a baseline");
  return {found->name, found->label, {}};
}

std::vector<double> effects_of(const std::vector<Pair>& pairs) {
  std::vector<double> out;
  for (const Pair& p : pairs) out.push_back(p.beta);
  return out;
}

std::vector<BaselinePrediction> gene_baselines(const std::vector<Pair>& train,
                                               const std::vector<Pair>& pairs) {
  Effects effects(train, genes_in(train, pairs));
  std::vector<BaselinePrediction> out;
  const auto add = [&](const char* name, const std::vector<double>& of_gene) {
    BaselinePrediction b = empty_baseline(name);
    for (const Pair& p : pairs) {
      b.predictions.push_back(static_cast<float>(of_gene[static_cast<std::size_t>(p.gene)]));
    }
    out.push_back(std::move(b));
  };
  const auto mean_of = [](const std::vector<double>& values) { return mean(values); };
  add("global_mean", std::vector<double>(effects.genes, mean(effects.values)));
  add("gene_mean", effects.per_gene(mean_of));
  add("gene_median", effects.per_gene(median));
  const std::vector<double> shrunk = effects.shrunk();
  effects.clip();
  add("clipped_gene_mean", effects.shrunk());
  add("shrunk_gene_mean", shrunk);
  return out;
}

std::vector<float> shrunk_gene_means(const std::vector<Pair>& train, std::int64_t genes) {
  const std::vector<double> means = Effects(train, static_cast<std::size_t>(genes)).shrunk();
  return {means.begin(), means.end()};
}

std::size_t strongest_of(std::span<const double> r) {
  const auto explained = [](double value) { return std::isnan(value) ? 0.0 : value; };
  const auto weaker = [&](double a, double b) { return explained(a) < explained(b); };
  return static_cast<std::size_t>(std::max_element(r.begin(), r.end(), weaker) - r.begin());
}

}  // namespace cdt
