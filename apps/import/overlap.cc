#include "apps/import/overlap.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace cdt {
namespace {

struct Seen {
  std::set<std::int32_t> enhancers, genes;
  std::set<std::pair<std::int32_t, std::int32_t>> pairs;
  std::map<std::string, std::set<std::int64_t>> centres;  // by chromosome

  bool has_neighbour(const Enhancer& enhancer) const {
    const auto found = centres.find(enhancer.chrom);
    if (found == centres.end()) return false;
    const auto next = found->second.lower_bound(enhancer.centre() - Overlap::kNeighbourBp);
    return next != found->second.end() && *next <= enhancer.centre() + Overlap::kNeighbourBp;
  }
};

Seen collect(const Placement& data, Split split) {
  Seen seen;
  for (const Pair& pair : data.pairs) {
    if (pair.split != split) continue;
    const Enhancer& enhancer = data.enhancers[static_cast<std::size_t>(pair.enhancer)];
    seen.enhancers.insert(pair.enhancer);
    seen.genes.insert(pair.gene);
    seen.pairs.emplace(pair.enhancer, pair.gene);
    seen.centres[enhancer.chrom].insert(enhancer.centre());
  }
  return seen;
}

std::int64_t shared(const std::set<std::int32_t>& a, const std::set<std::int32_t>& b) {
  std::int64_t count = 0;
  for (const std::int32_t value : a) count += b.contains(value) ? 1 : 0;
  return count;
}

}  // namespace

std::int64_t shared_pairs(const Placement& data, Split a, Split b) {
  const Seen first = collect(data, a);
  const Seen second = collect(data, b);
  return std::count_if(first.pairs.begin(), first.pairs.end(),
                       [&](const auto& pair) { return second.pairs.contains(pair); });
}

Overlap overlap_with_train(const Placement& data, Split held_out) {
  const Seen train = collect(data, Split::kTrain);
  const Seen held = collect(data, held_out);
  Overlap out;
  for (const Pair& pair : data.pairs) {
    if (pair.split != held_out) continue;
    const Enhancer& enhancer = data.enhancers[static_cast<std::size_t>(pair.enhancer)];
    ++out.pairs;
    out.pairs_enhancer_in_train += train.enhancers.contains(pair.enhancer) ? 1 : 0;
    out.pairs_enhancer_near_train += train.has_neighbour(enhancer) ? 1 : 0;
    out.pairs_gene_in_train += train.genes.contains(pair.gene) ? 1 : 0;
    out.pairs_in_train += train.pairs.contains({pair.enhancer, pair.gene}) ? 1 : 0;
  }
  out.enhancers = static_cast<std::int64_t>(held.enhancers.size());
  out.enhancers_in_train = shared(held.enhancers, train.enhancers);
  out.genes = static_cast<std::int64_t>(held.genes.size());
  out.genes_in_train = shared(held.genes, train.genes);
  return out;
}

}  // namespace cdt
