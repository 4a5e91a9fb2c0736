#include "apps/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/common/json_text.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

std::vector<float> betas(const std::vector<Pair>& pairs) {
  std::vector<float> out;
  out.reserve(pairs.size());
  for (const Pair& p : pairs) out.push_back(p.beta);
  return out;
}

std::vector<std::int32_t> enhancer_of(const std::vector<Pair>& pairs) {
  std::vector<std::int32_t> out;
  out.reserve(pairs.size());
  for (const Pair& p : pairs) out.push_back(p.enhancer);
  return out;
}

Score score(std::span<const float> predictions, const std::vector<Pair>& pairs,
            double noise_ceiling, const BootstrapOptions& bootstrap) {
  const std::vector<float> target = betas(pairs);
  Score s;
  s.metrics = compute_metrics(predictions, target);
  s.pearson_interval = bootstrap_pearson(predictions, target, enhancer_of(pairs), bootstrap);
  s.share_of_ceiling = s.metrics.pearson / noise_ceiling;
  s.constant = std::all_of(predictions.begin(), predictions.end(),
                           [&](float p) { return p == predictions.front(); });
  return s;
}

Json interval_json(const Interval& interval) { return Json::array({interval.low, interval.high}); }

/// Adds the numbers of a score to a JSON object.
void add_score(Json* out, const Score& s, bool with_ceiling) {
  const Metrics& m = s.metrics;
  (*out)["pearson"] = m.pearson;
  (*out)["pearson_p"] = m.pearson_p;
  (*out)["pearson_ci95"] = interval_json(s.pearson_interval);
  if (with_ceiling) (*out)["share_of_ceiling"] = s.share_of_ceiling;
  (*out)["spearman"] = m.spearman;
  (*out)["spearman_p"] = m.spearman_p;
  (*out)["r2"] = m.r2;
  (*out)["mse"] = m.mse;
  (*out)["mae"] = m.mae;
  if (s.constant) (*out)["note"] = "all predictions are equal: correlations are undefined";
}

Json baseline_json(const std::optional<Score>& s, bool with_ceiling) {
  if (!s) return nullptr;
  Json out = Json::object();
  add_score(&out, *s, with_ceiling);
  return out;
}

Json replicate_json(const Replicate& r) {
  return {{"source", r.source},
          {"pairs", r.pairs},
          {"enhancers", r.enhancers},
          {"pearson", r.pearson},
          {"pearson_ci95", interval_json(r.interval)},
          {"model_pearson", r.model_pearson},
          {"model_over_replicate", r.share()},
          {"model_corrected_for_attenuation", r.corrected()}};
}

Json share_json(std::int64_t count, std::int64_t of) {
  return {{"pairs", count}, {"share", static_cast<double>(count) / static_cast<double>(of)}};
}

}  // namespace

Evaluation evaluate(const std::vector<Pair>& pairs, std::span<const float> predictions,
                    const std::vector<Pair>& train, double noise_ceiling,
                    const BootstrapOptions& bootstrap) {
  Evaluation e;
  std::set<std::int32_t> enhancers;
  std::set<std::int32_t> genes;
  for (const Pair& p : pairs) {
    enhancers.insert(p.enhancer);
    genes.insert(p.gene);
  }
  e.pairs = static_cast<std::int64_t>(pairs.size());
  e.enhancers = static_cast<std::int64_t>(enhancers.size());
  e.genes = static_cast<std::int64_t>(genes.size());
  e.constant_effects = std::all_of(pairs.begin(), pairs.end(),
                                   [&](const Pair& p) { return p.beta == pairs.front().beta; });
  e.bootstrap = bootstrap;
  e.noise_ceiling = noise_ceiling;
  e.model = score(predictions, pairs, noise_ceiling, bootstrap);
  if (train.empty()) return e;
  for (const BaselinePrediction& b : gene_baselines(train, pairs)) {
    if (b.name == "global_mean") {
      e.global_mean = score(b.predictions, pairs, noise_ceiling, bootstrap);
    } else if (b.name == "gene_mean") {
      e.gene_mean = score(b.predictions, pairs, noise_ceiling, bootstrap);
      e.gain_interval = bootstrap_pearson_difference(predictions, b.predictions, betas(pairs),
                                                     enhancer_of(pairs), bootstrap);
    }
  }
  e.genes_unseen = pairs_of_unseen_genes(train, pairs);
  e.overlap = train_overlap(train, pairs);
  return e;
}

std::string metrics_json(const Evaluation& e) {
  const bool with_ceiling = !std::isnan(e.noise_ceiling);
  Json out = {{"format", "cdt-metrics"},  {"version", 1},          {"split", e.split},
              {"data", e.data},           {"model", e.model_file}, {"n", e.pairs},
              {"enhancers", e.enhancers}, {"genes", e.genes}};
  if (e.constant_effects) {
    out["effects_note"] = "all effects are equal: correlations are undefined, R2 is 0";
  }
  out["predictions"] = {{"file", "predictions.tsv"}, {"digest", e.predictions_digest}};
  add_score(&out, e.model, with_ceiling);
  if (with_ceiling) out["noise_ceiling"] = e.noise_ceiling;
  if (e.replicate) out["replicate"] = replicate_json(*e.replicate);
  out["baselines"] = {{"fitted_on", "train"},
                      {"global_mean", baseline_json(e.global_mean, with_ceiling)},
                      {"gene_mean", baseline_json(e.gene_mean, with_ceiling)},
                      {"pairs_without_gene_mean", e.genes_unseen}};
  if (e.gene_mean) {
    out["pearson_gain_over_gene_mean"] = {
        {"difference", e.model.metrics.pearson - e.gene_mean->metrics.pearson},
        {"ci95", interval_json(e.gain_interval)}};
    out["also_in_train"] = {{"enhancer", share_json(e.overlap.enhancer, e.pairs)},
                            {"gene", share_json(e.overlap.gene, e.pairs)},
                            {"pair", share_json(e.overlap.pair, e.pairs)}};
  }
  out["bootstrap"] = {{"unit", "enhancer"},
                      {"method", "percentile"},
                      {"replicates", e.bootstrap.replicates},
                      {"seed", e.bootstrap.seed}};
  return json_text(out);
}

}  // namespace cdt
