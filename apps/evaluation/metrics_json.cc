#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/evaluation/claims.h"
#include "apps/evaluation/evaluation.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

Json within_json(const WithinScore& s, const char* groups) {
  return {{"n", s.pairs}, {groups, s.groups}, {"pearson", fields_json(s.pearson)}};
}

/// Adds the numbers of a score to a JSON object.
void add_score(Json* out, const Score& s, bool with_ceiling) {
  const Metrics& m = s.metrics;
  (*out)["pearson"] = fields_json(s.pearson());
  (*out)["pearson_p"] = m.pearson_p;
  if (with_ceiling) (*out)["share_of_ceiling"] = s.share_of_ceiling;
  (*out)["spearman"] = m.spearman;
  (*out)["spearman_p"] = m.spearman_p;
  (*out)["r2"] = m.r2;
  (*out)["mse"] = m.mse;
  (*out)["mae"] = m.mae;
  (*out)["calibration_slope"] = fields_json(s.calibration_slope);
  (*out)["within_genes"] = within_json(s.within_genes, "genes");
  (*out)["within_enhancers"] = within_json(s.within_enhancers, "enhancers");
  if (s.constant) (*out)["note"] = "all predictions are equal: correlations are undefined";
}

Json baselines_json(const Evaluation& e, bool with_ceiling) {
  Json out = {{"fitted_on", "train"}};
  for (std::size_t i = 0; i < e.baselines.size(); ++i) {
    const BaselineScore& baseline = e.baselines[i];
    Json& entry = out[baseline.name] = Json::object();
    entry["label"] = baseline.label;
    add_score(&entry, baseline.score, with_ceiling);
    entry["difference"] = fields_json(baseline.difference);
    if (e.classification) {
      entry["classification"] = fields_json(e.classification->baselines[i]);
    }
  }
  out["pairs_without_gene_mean"] = e.pairs - e.overlap.gene;
  return out;
}

Json classification_json(const Evaluation& e) {
  if (!e.classification) return nullptr;
  Json out = fields_json(*e.classification);
  if (!e.baselines.empty()) {
    out["strongest_baseline"] = e.baselines[e.classification->strongest].name;
  }
  return out;
}

Json controls_json(const Evaluation& e) {
  Json out = {{"file", "controls.tsv"}, {"digest", e.controls_digest}};
  out.update(fields_json(*e.controls));
  return out;
}

/// Scores of the pairs whose gene has training pairs and of those whose gene has none, by name.
Json genes_json(const Evaluation& e) {
  Json out = Json::object();
  for (const auto& [name, score] :
       {std::pair("seen", &e.seen_genes), {"unseen", &e.unseen_genes}}) {
    Json& entry = out[name] = {{"n", *score ? (*score)->metrics.n : 0}};
    if (*score) add_score(&entry, **score, false);
  }
  return out;
}

Json share_json(std::int64_t count, std::int64_t of) {
  return {{"pairs", count}, {"share", static_cast<double>(count) / static_cast<double>(of)}};
}

Json trained_here_json(TrainedHere trained_here) {
  if (trained_here == TrainedHere::kUnknown) return nullptr;
  return trained_here == TrainedHere::kYes;
}

Json claims_json(const Evaluation& e) {
  Json out = Json::object();
  for (const NamedClaim& c : claims_of(e)) {
    out[c.name] = {{"said", c.claim.said}, {"text", c.claim.text}};
  }
  return out;
}

}  // namespace

std::string metrics_json(const Evaluation& e) {
  const bool with_ceiling = !std::isnan(e.noise_ceiling);
  Json out = {{"format", "cdt-metrics"}, {"version", kMetricsVersion}, {"split", e.split},
              {"data", e.data},          {"model", e.model_file},      {"n", e.pairs},
              {"enhancers", e.enhancers}};
  out.update(fields_json(e.loci));
  out["genes"] = e.genes;
  out["fingerprint"] = fields_json(e.fingerprint);
  out["trained_on_these_pairs"] = trained_here_json(e.trained_here);
  out["fold"] = e.use.fold > 0 ? Json(e.use.fold) : Json();
  out["folds"] = e.folds > 0 ? Json(e.folds) : Json();
  out["train_share"] = e.use.train_share;
  out["train_pairs"] = e.train_pairs;
  if (e.ranks) out["outputs"] = kNormalScores;
  if (e.model.constant_effects) {
    out["effects_note"] = "all effects are equal: correlations and R2 are undefined";
  }
  out["predictions"] = {{"file", "predictions.tsv"}, {"digest", e.predictions_digest}};
  add_score(&out, e.model, with_ceiling);
  if (with_ceiling) out["noise_ceiling"] = e.noise_ceiling;
  out["classification"] = classification_json(e);
  if (e.by_distance) out["by_distance"] = fields_json(*e.by_distance);
  if (e.replicate) out["replicate"] = fields_json(*e.replicate);
  if (const BaselineScore* strongest = e.strongest_baseline()) {
    out["by_gene"] = genes_json(e);
    out["baselines"] = baselines_json(e, with_ceiling);
    if (!e.gene_starts.empty()) out["baselines"]["gene_starts"] = e.gene_starts;
    out["strongest_baseline"] = strongest->name;
    out["pearson_gain_over_strongest_baseline"] = fields_json(e.gain);
    out["also_in_train"] = {{"enhancer", share_json(e.overlap.enhancer, e.pairs)},
                            {"locus", share_json(e.overlap.locus, e.pairs)},
                            {"gene", share_json(e.overlap.gene, e.pairs)},
                            {"pair", share_json(e.overlap.pair, e.pairs)}};
  } else {
    out["baselines"] = nullptr;
  }
  if (e.controls) out["controls"] = controls_json(e);
  out["tested"] = {{"n", e.tested_pairs}};
  if (e.tested_gain) {
    out["tested"]["pearson_gain_over_strongest_baseline"] = fields_json(*e.tested_gain);
  }
  if (e.tested_controls) out["tested"]["controls"] = fields_json(*e.tested_controls);
  out["claims"] = claims_json(e);
  out["bootstrap"] = {{"unit", "locus"},
                      {"method", "percentile"},
                      {"replicates", e.bootstrap.replicates},
                      {"seed", e.bootstrap.seed}};
  return json_text(out);
}

}  // namespace cdt
