#include "apps/common/leakage.h"

#include <cmath>
#include <set>
#include <utility>

#include "apps/common/tables.h"
#include "io/dataset/folds.h"

namespace cdt {
namespace {

using Numbers = std::set<std::int32_t>;

/// What some pairs hold.
struct Held {
  Held(const std::vector<Pair>& of, const SharedDna& shared) {
    for (const Pair& p : of) {
      const auto at = static_cast<std::size_t>(p.enhancer);
      enhancers.insert(p.enhancer);
      genes.insert(p.gene);
      pairs.insert({p.enhancer, p.gene});
      loci.insert(shared.locus_of[at]);
      if (!shared.content_of.empty()) contents.insert(shared.content_of[at]);
    }
  }
  Numbers enhancers, loci, contents, genes;
  std::set<std::pair<std::int32_t, std::int32_t>> pairs;
};

std::vector<Pair> pairs_in(const std::vector<Pair>& pairs, Split split) {
  std::vector<Pair> out;
  for (const Pair& pair : pairs) {
    if (pair.split == split) out.push_back(pair);
  }
  return out;
}

/// "    996 ( 99 %)"
std::string count_cell(std::int64_t count, std::int64_t of) {
  return text("%7lld (%3.0f %%)", static_cast<long long>(count),
              of == 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(of));
}

}  // namespace

void Leakage::add(const Leakage& other) {
  pairs += other.pairs;
  pair += other.pair;
  enhancer += other.enhancer;
  locus += other.locus;
  content += other.content;
  gene += other.gene;
  knows_content = knows_content && other.knows_content;
}

Leakage leakage(const std::vector<Pair>& train, const std::vector<Pair>& held_out,
                const SharedDna& shared) {
  const Held known(train, shared);
  Leakage out;
  out.knows_content = !shared.content_of.empty();
  for (const Pair& p : held_out) {
    const auto at = static_cast<std::size_t>(p.enhancer);
    ++out.pairs;
    out.pair += known.pairs.contains({p.enhancer, p.gene}) ? 1 : 0;
    out.enhancer += known.enhancers.contains(p.enhancer) ? 1 : 0;
    out.locus += known.loci.contains(shared.locus_of[at]) ? 1 : 0;
    out.gene += known.genes.contains(p.gene) ? 1 : 0;
    if (out.knows_content) out.content += known.contents.contains(shared.content_of[at]) ? 1 : 0;
  }
  return out;
}

std::vector<Leakage> leakages(const std::vector<Pair>& pairs, std::int64_t folds,
                              const SharedDna& shared) {
  std::vector<Leakage> out;
  for (const Split split : {Split::kVal, Split::kTest}) {
    Leakage sum;
    sum.knows_content = !shared.content_of.empty();
    for (std::int64_t fold = folds == 0 ? 0 : 1; fold <= folds; ++fold) {
      std::vector<Pair> in_fold = pairs;
      for (Pair& p : in_fold) {
        if (fold > 0) p.split = split_in_fold(p.fold, fold, folds);
      }
      sum.add(leakage(pairs_in(in_fold, Split::kTrain), pairs_in(in_fold, split), shared));
    }
    sum.name = split_name(split);
    if (folds > 0) sum.name += " of " + std::to_string(folds) + " folds";
    if (sum.pairs > 0) out.push_back(sum);
  }
  return out;
}

std::string leakage_table(const std::vector<Leakage>& all) {
  std::string out = text("%-16s%8s%15s%15s%15s%15s%15s\n", "held out", "pairs", "same pair",
                         "same enhancer", "overlapping", "near-identical", "same gene");
  for (const Leakage& l : all) {
    out += text("%-16s%8lld", l.name.c_str(), static_cast<long long>(l.pairs)) +
           count_cell(l.pair, l.pairs) + count_cell(l.enhancer, l.pairs) +
           count_cell(l.locus, l.pairs) +
           (l.knows_content ? count_cell(l.content, l.pairs) : text("%15s", "not compared")) +
           count_cell(l.gene, l.pairs) + "\n";
  }
  return out;
}

}  // namespace cdt
