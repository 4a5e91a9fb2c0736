#include "apps/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace cdt {
namespace {

/// Pairs to score, or a subset of them.
struct Scored {
  std::vector<float> target;
  std::vector<std::int32_t> loci;  // of each pair
  double noise_ceiling = 0;
  BootstrapOptions bootstrap;

  Score score(std::span<const float> predictions) const {
    Score s;
    s.metrics = compute_metrics(predictions, target);
    s.pearson_interval = bootstrap_pearson(predictions, target, loci, bootstrap);
    s.share_of_ceiling = s.metrics.pearson / noise_ceiling;
    s.constant = std::all_of(predictions.begin(), predictions.end(),
                             [&](float p) { return p == predictions.front(); });
    return s;
  }
};

/// Whether the training pairs contain each evaluated pair's enhancer, locus, gene and the pair
/// itself.
struct Known {
  std::vector<bool> enhancer, locus, gene, pair;
};

Known known_to(const std::vector<Pair>& train, const std::vector<Pair>& pairs,
               const std::vector<std::int32_t>& locus_of) {
  const GeneTraining genes(train);
  std::set<std::int32_t> enhancers, loci;
  std::set<std::pair<std::int32_t, std::int32_t>> both;
  for (const Pair& p : train) {
    enhancers.insert(p.enhancer);
    loci.insert(locus_of[static_cast<std::size_t>(p.enhancer)]);
    both.insert({p.enhancer, p.gene});
  }
  Known out;
  for (const Pair& p : pairs) {
    out.enhancer.push_back(enhancers.count(p.enhancer) != 0);
    out.locus.push_back(loci.count(locus_of[static_cast<std::size_t>(p.enhancer)]) != 0);
    out.gene.push_back(genes.pairs_of(p.gene) != 0);
    out.pair.push_back(both.count({p.enhancer, p.gene}) != 0);
  }
  return out;
}

std::int64_t count(const std::vector<bool>& flags) {
  return std::count(flags.begin(), flags.end(), true);
}

Scored some_of(const Scored& all, const std::vector<bool>& flags) {
  return {chosen<float>(all.target, flags), chosen<std::int32_t>(all.loci, flags), kNaN,
          all.bootstrap};
}

BaselineGain gain_over(const std::vector<float>& baseline, std::span<const float> predictions,
                       const Scored& scored) {
  const Metrics model = compute_metrics(predictions, scored.target);
  const Metrics other = compute_metrics(baseline, scored.target);
  BaselineGain out{
      static_cast<std::int64_t>(scored.target.size()),
      distinct<std::int32_t>(scored.loci),
      model.pearson,
      {model.pearson - (std::isnan(other.pearson) ? 0.0 : other.pearson), {kNaN, kNaN}},
      model.mse,
      other.mse};
  if (std::isnan(out.difference.value)) return out;
  out.difference.interval =
      bootstrap_pearson_difference(predictions, std::vector<std::vector<float>>{baseline},
                                   scored.target, scored.loci, scored.bootstrap);
  return out;
}

/// Score over the flagged pairs; nothing if no pair is flagged.
std::optional<Score> score_of(const Scored& all, std::span<const float> predictions,
                              const std::vector<bool>& flags) {
  if (count(flags) == 0) return std::nullopt;
  return some_of(all, flags).score(chosen<float>(predictions, flags));
}

void add_baselines(const ToEvaluate& given, const Scored& scored, const std::vector<bool>& tested,
                   Evaluation* e) {
  std::vector<BaselinePrediction> baselines = gene_baselines(given.train, given.pairs);
  baselines.insert(baselines.end(), given.further_baselines.begin(), given.further_baselines.end());
  std::vector<double> r;
  for (const BaselinePrediction& b : baselines) {
    e->baselines.push_back({b.name, b.label, scored.score(b.predictions)});
    r.push_back(e->baselines.back().score.metrics.pearson);
  }
  e->strongest = strongest_of(r);
  const std::vector<float>& strongest = baselines[e->strongest].predictions;
  e->gain = gain_over(strongest, given.predictions, scored);
  if (e->tested_pairs == 0 || e->tested_pairs == e->pairs) return;
  e->tested_gain = gain_over(chosen<float>(strongest, tested),
                             chosen<float>(given.predictions, tested), some_of(scored, tested));
}

void add_controls(const ToEvaluate& given, const Scored& scored, const std::vector<bool>& tested,
                  Evaluation* e) {
  e->controls = score_controls({given.pairs, given.predictions, scored.loci},
                               given.controls(given.pairs), scored.bootstrap);
  if (e->tested_pairs == 0 || e->tested_pairs == e->pairs) return;
  const std::vector<Pair> pairs = chosen<Pair>(given.pairs, tested);
  const std::vector<float> predictions = chosen<float>(given.predictions, tested);
  const std::vector<std::int32_t> loci = chosen<std::int32_t>(scored.loci, tested);
  e->tested_controls =
      score_controls({pairs, predictions, loci}, given.controls(pairs), scored.bootstrap);
}

}  // namespace

std::vector<Pair> pairs_that_chose(const Dataset& data, const std::string& split) {
  return split == split_name(Split::kVal) ? std::vector<Pair>{} : data.pairs_of(Split::kVal);
}

Evaluation evaluate(const ToEvaluate& given, const BootstrapOptions& bootstrap) {
  const std::vector<Pair>& pairs = given.pairs;
  Scored scored{column(pairs, &Pair::beta), {}, given.noise_ceiling, bootstrap};
  for (const Pair& p : pairs) {
    scored.loci.push_back(given.locus_of[static_cast<std::size_t>(p.enhancer)]);
  }
  Evaluation e;
  e.pairs = static_cast<std::int64_t>(pairs.size());
  e.enhancers = distinct<std::int32_t>(column(pairs, &Pair::enhancer));
  e.genes = distinct<std::int32_t>(column(pairs, &Pair::gene));
  e.loci = distinct<std::int32_t>(scored.loci);
  e.constant_effects = std::all_of(pairs.begin(), pairs.end(),
                                   [&](const Pair& p) { return p.beta == pairs.front().beta; });
  e.bootstrap = bootstrap;
  e.noise_ceiling = given.noise_ceiling;
  e.model = scored.score(given.predictions);
  const Known known = known_to(given.train, pairs, given.locus_of);
  const Known chosen_by = known_to(given.chose, pairs, given.locus_of);
  std::vector<bool> tested(pairs.size(), true);
  for (std::size_t i = 0; i < pairs.size() && !given.train.empty(); ++i) {
    tested[i] = known.gene[i] && !known.locus[i] && !chosen_by.locus[i];
  }
  e.tested_pairs = count(tested);
  if (given.controls) add_controls(given, scored, tested, &e);
  if (given.train.empty()) return e;
  add_baselines(given, scored, tested, &e);
  e.overlap = {count(known.enhancer), count(known.locus), count(known.gene), count(known.pair)};
  e.seen_genes = score_of(scored, given.predictions, known.gene);
  std::vector<bool> unseen = known.gene;
  unseen.flip();
  e.unseen_genes = score_of(scored, given.predictions, unseen);
  return e;
}

}  // namespace cdt
