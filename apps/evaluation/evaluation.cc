#include "apps/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace cdt {
namespace {

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

BaselineGain gain_over(const std::vector<float>& baseline, std::span<const float> predictions,
                       const ScoredPairs& scored, bool ranks) {
  Metrics model = compute_metrics(predictions, scored.target());
  if (ranks) model.drop_sizes();
  const Metrics other = compute_metrics(baseline, scored.target());
  BaselineGain out{
      static_cast<std::int64_t>(scored.target().size()),
      count_loci(scored.loci()),
      model.pearson,
      {model.pearson - (std::isnan(other.pearson) ? 0.0 : other.pearson), {kNaN, kNaN}},
      model.mse,
      other.mse};
  if (std::isnan(out.difference.value)) return out;
  out.difference.interval =
      bootstrap_pearson_difference(predictions, std::vector<std::vector<float>>{baseline},
                                   scored.target(), scored.loci(), scored.bootstrap());
  return out;
}

/// Score over the flagged pairs; nothing if no pair is flagged.
std::optional<Score> score_of(const ScoredPairs& all, const ToEvaluate& given,
                              const std::vector<bool>& flags) {
  if (count(flags) == 0) return std::nullopt;
  Score out = all.some(flags).score(chosen<float>(given.predictions, flags));
  if (given.ranks) out.drop_sizes();
  return out;
}

void add_baselines(const ToEvaluate& given, const ScoredPairs& scored,
                   const std::vector<bool>& tested, Evaluation* e) {
  std::vector<BaselineGain> gains;
  std::vector<double> r;
  for (const BaselinePrediction& b : given.baselines) {
    gains.push_back(gain_over(b.predictions, given.predictions, scored, given.ranks));
    e->baselines.push_back({b.name, b.label, scored.score(b.predictions), gains.back().difference});
    r.push_back(e->baselines.back().score.metrics.pearson);
  }
  e->strongest = strongest_of(r);
  e->gain = gains[e->strongest];
  if (e->tested_pairs == 0 || e->tested_pairs == e->pairs) return;
  const std::vector<float>& strongest = given.baselines[e->strongest].predictions;
  e->tested_gain =
      gain_over(chosen<float>(strongest, tested), chosen<float>(given.predictions, tested),
                scored.some(tested), given.ranks);
}

void add_controls(const ToEvaluate& given, const ScoredPairs& scored,
                  const std::vector<bool>& tested, Evaluation* e) {
  e->controls = score_controls({given.pairs, given.predictions, scored.loci(), given.ranks},
                               given.controls(given.pairs), scored.bootstrap());
  if (e->tested_pairs == 0 || e->tested_pairs == e->pairs) return;
  const std::vector<Pair> pairs = chosen<Pair>(given.pairs, tested);
  const std::vector<float> predictions = chosen<float>(given.predictions, tested);
  const std::vector<std::int32_t> loci = chosen<std::int32_t>(scored.loci(), tested);
  e->tested_controls = score_controls({pairs, predictions, loci, given.ranks},
                                      given.controls(pairs), scored.bootstrap());
}

}  // namespace

std::string tested_pairs_are(bool any_gene) {
  return std::string(any_gene ? "" : "of trained genes ") + "at loci that had no part in training";
}

std::vector<Pair> pairs_that_chose(const Dataset& data, const std::string& split) {
  return split == split_name(Split::kVal) ? std::vector<Pair>{} : data.pairs_of(Split::kVal);
}

Evaluation evaluate(const ToEvaluate& given, const BootstrapOptions& bootstrap) {
  const std::vector<Pair>& pairs = given.pairs;
  const ScoredPairs scored(pairs, given.locus_of, given.noise_ceiling, bootstrap);
  Evaluation e;
  e.fingerprint = given.fingerprint;
  e.ranks = given.ranks;
  e.pairs = static_cast<std::int64_t>(pairs.size());
  e.enhancers = distinct<std::int32_t>(column(pairs, &Pair::enhancer));
  e.genes = distinct<std::int32_t>(column(pairs, &Pair::gene));
  e.loci = count_loci(scored.loci());
  e.samples = distinct<std::int32_t>(column(pairs, &Pair::sample));
  e.bootstrap = bootstrap;
  e.noise_ceiling = given.noise_ceiling;
  e.model = scored.score(given.predictions);
  if (e.ranks) e.model.drop_sizes();
  const Known known = known_to(given.train, pairs, given.locus_of);
  const Known chosen_by = known_to(given.chose, pairs, given.locus_of);
  std::vector<bool> tested(pairs.size(), true);
  for (std::size_t i = 0; i < pairs.size() && !given.train.empty(); ++i) {
    tested[i] = (known.gene[i] || e.any_gene_tests()) && !known.locus[i] && !chosen_by.locus[i];
  }
  e.tested_pairs = count(tested);
  if (given.controls) add_controls(given, scored, tested, &e);
  if (!given.baselines.empty()) add_baselines(given, scored, tested, &e);
  const std::optional<Positives> positives = positives_of(pairs, given.positive_below);
  if (positives) {
    e.classification =
        classify(*positives, given.predictions, given.baselines, scored.loci(), bootstrap);
  }
  if (!given.places.empty() && !given.baselines.empty()) {
    e.by_distance =
        score_by_distance(scored, given.places, given.predictions, given.baselines[e.strongest],
                          positives ? &*positives : nullptr);
  }
  if (given.train.empty()) return e;
  e.overlap = {count(known.enhancer), count(known.locus), count(known.gene), count(known.pair)};
  e.seen_genes = score_of(scored, given, known.gene);
  std::vector<bool> unseen = known.gene;
  unseen.flip();
  e.unseen_genes = score_of(scored, given, unseen);
  return e;
}

}  // namespace cdt
