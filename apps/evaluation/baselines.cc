#include "apps/evaluation/baselines.h"

#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

struct Sum {
  double total = 0;
  std::int64_t n = 0;

  void add(float value) {
    total += value;
    ++n;
  }
  float mean() const { return static_cast<float>(total / static_cast<double>(n)); }
};

}  // namespace

Baselines fit_baselines(const std::vector<Pair>& train, const std::vector<Pair>& pairs) {
  CDT_CHECK(!train.empty(), "baselines need training pairs");
  Sum all;
  std::unordered_map<std::int32_t, Sum> by_gene;
  for (const Pair& p : train) {
    all.add(p.beta);
    by_gene[p.gene].add(p.beta);
  }
  Baselines out;
  out.global_mean.assign(pairs.size(), all.mean());
  for (const Pair& p : pairs) {
    const auto gene = by_gene.find(p.gene);
    const bool seen = gene != by_gene.end();
    out.gene_mean.push_back(seen ? gene->second.mean() : all.mean());
    if (!seen) ++out.genes_unseen;
  }
  return out;
}

TrainOverlap train_overlap(const std::vector<Pair>& train, const std::vector<Pair>& pairs) {
  std::unordered_set<std::int32_t> enhancers;
  std::unordered_set<std::int32_t> genes;
  std::set<std::pair<std::int32_t, std::int32_t>> both;
  for (const Pair& p : train) {
    enhancers.insert(p.enhancer);
    genes.insert(p.gene);
    both.insert({p.enhancer, p.gene});
  }
  TrainOverlap out;
  for (const Pair& p : pairs) {
    out.enhancer += enhancers.count(p.enhancer) != 0 ? 1 : 0;
    out.gene += genes.count(p.gene) != 0 ? 1 : 0;
    out.pair += both.count({p.enhancer, p.gene}) != 0 ? 1 : 0;
  }
  return out;
}

}  // namespace cdt
