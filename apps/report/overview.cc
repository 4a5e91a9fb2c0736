#include "apps/report/overview.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/common/tables.h"
#include "apps/evaluation/claims.h"
#include "apps/report/attribution_claims.h"
#include "apps/report/explained_pairs.h"
#include "apps/report/numerals.h"
#include "io/format/text.h"
#include "model/stats/agreement.h"

namespace cdt {
namespace {

std::string last_part(const std::filesystem::path& path) {
  const std::filesystem::path clean = path.lexically_normal();
  return path_text(clean.has_filename() ? clean.filename() : clean.parent_path().filename());
}

Html card(const Html& label, const Html& value, const Html& note) {
  return element("div", element("span", {{"class", "label"}}, label) +
                            element("span", {{"class", "value"}}, value) +
                            element("span", {{"class", "note"}}, note));
}

std::string signed_text(double value) { return (value > 0 ? "+" : "") + fixed(value, 3); }

Html control_card(const char* label, const Control& control) {
  return card(label, fixed(control.pearson, 3),
              "loss of r " + with_interval(control.difference, 3));
}

Html headline(const Material& material) {
  if (!material.evaluated) return {};
  const Evaluation& e = material.evaluated->evaluation;
  const std::string no_r = why_no_r(e.model);
  const auto interval = [&](const Interval& i) {
    return is_defined(i) ? "95\u202f% " + interval_text(i, 3) : why_no_interval(e);
  };
  Html cards = card("Pearson r on " + e.split, fixed(e.model.metrics.pearson, 3),
                    no_r.empty() ? interval(e.model.pearson_interval) : no_r);
  if (const BaselineScore* strongest = e.strongest_baseline()) {
    const double r = strongest->score.metrics.pearson;
    cards += card("Strongest baseline", fixed(r, 3), strongest->label);
    if (std::isfinite(r) && std::isfinite(e.gain.difference.value)) {
      cards += card("Gain over that baseline", signed_text(e.gain.difference.value),
                    interval(e.gain.difference.interval));
    }
  }
  if (e.controls && e.controls->shuffled_dna) {
    cards += control_card("r with DNA shuffled", *e.controls->shuffled_dna);
  }
  if (e.controls) cards += control_card("r with DNA averaged", e.controls->mean_dna);
  if (std::isfinite(e.noise_ceiling)) {
    cards += card("Share of the ceiling", percent(e.model.share_of_ceiling),
                  "ceiling r " + fixed(e.noise_ceiling, 3));
  } else if (e.replicate && e.replicate->pearson.value > 0) {
    cards +=
        card("Share of the ceiling", percent(e.replicate->corrected()),
             "\u221ar of two screens, " + fixed(noise_free_limit(e.replicate->pearson.value), 3) +
                 ", " + counted(e.replicate->pairs, "pair"));
  }
  if (!e.ranks) {
    cards += card("R\u00b2", fixed(e.model.metrics.r2, 3), "coefficient of determination");
  }
  return element("div", {{"class", "headline"}}, cards);
}

/// Which conclusions the numbers allow, and which they do not.
Html conclusions(const Material& material) {
  if (!material.evaluated) return {};
  Html items;
  for (const NamedClaim& c : claims_of(material.evaluated->evaluation)) {
    items += claim_html("li", c.name, c.claim.said, with_true_minus(c.claim.text));
  }
  items += claim_html("li", "positions", false,
                      about_positions(material.evaluated->evaluation.fingerprint));
  return element("section", {{"class", "conclusions"}},
                 element("h2", "What may be concluded") + element("ul", items));
}

Html row(const Html& term, const Html& description) {
  return element("dt", term) + element("dd", description);
}

Html data_row(const Dataset& data) {
  std::string splits;
  for (const Split split : {Split::kTrain, Split::kVal, Split::kTest}) {
    const auto pairs = static_cast<std::int64_t>(data.pairs_of(split).size());
    if (pairs > 0) {
      splits += (splits.empty() ? "" : ", ") + count_text(pairs) + " " + split_name(split);
    }
  }
  return element("b", last_part(data.directory)) + ": " +
         counted(data.enhancers_count(), "enhancer") + " (" + data.assembly + "), " +
         counted(data.genes_count(), "gene") + ", DNA windows of " + counted(data.bins, "bin") +
         " of " + std::to_string(data.bin_bp) + "\u202fbp; pairs: " + splits;
}

/// What the model has beyond the released one.
std::string extensions_of(const RunConfig& run) {
  CdtConfig config;
  if (run.readout) config.readout = parse_readout(*run.readout, "config.json");
  config.bin_position = run.bin_position.value_or(false);
  config.gene_position = run.gene_position.value_or(false);
  config.gene_window = run.gene_window.value_or(false);
  return extensions_text(config);
}

Html model_row(const Material& material) {
  const RunConfig& c = material.run.config;
  Html out = "CDT, variant " + c.variant + ", hidden size " + std::to_string(c.hidden) + ", " +
             std::to_string(c.heads) + " heads";
  if (material.run.has_model) out += ", " + count_text(material.run.parameters) + " parameters";
  const std::string extensions = extensions_of(c);
  if (!extensions.empty()) out += "; with " + extensions + kNotInReleased;
  return out;
}

Html training_row(const Material& material) {
  const RunConfig& c = material.run.config;
  const auto option = [&](const char* name) {
    const std::string value = c.option(name);
    return value.empty() ? "\u2013" : value;
  };
  Html out = counted(static_cast<std::int64_t>(material.run.epochs.size()), "epoch") +
             ", batches of " + option("batch-size") + ", learning rate " + option("lr") +
             ", dropout " + option("dropout") + ", seed " + option("seed");
  if (!c.fingerprint || c.fingerprint->data != material.data_digest) {
    out += Html("; trained on ") + element("b", c.data);
  }
  return out;
}

Html baselines_row(const Evaluation& e) {
  if (e.baselines.empty()) return "none: there are no training pairs to fit one on";
  Html out;
  for (const BaselineScore& b : e.baselines) {
    const std::string none = why_no_r(b.score);
    out += element(
        "li", b.label + ": " +
                  (none.empty() ? "r = " + with_interval(b.score.pearson(), 3) : "no r, " + none));
  }
  return element("ul", out);
}

Html facts(const Material& material) {
  Html rows = row("Data", data_row(material.data)) + row("Model", model_row(material)) +
              row("Training", training_row(material));
  if (material.evaluated) {
    const Evaluation& e = material.evaluated->evaluation;
    rows += row("Evaluated on", e.split + ": " + counted(e.pairs, "pair") + ", " +
                                    counted(e.enhancers, "enhancer") + " in " + loci_text(e.loci) +
                                    ", " + counted(e.genes, "gene") +
                                    (e.samples > 1 ? ", " + counted(e.samples, "sample") : ""));
    rows += row("Baselines", baselines_row(e));
  }
  if (material.attribution) {
    const Attribution& a = *material.attribution;
    std::vector<std::string> names;
    for (const MethodWindows& method : a.methods) names.push_back(method.name);
    std::set<std::int32_t> enhancers;
    for (const AttributedPair& pair : a.pairs) enhancers.insert(pair.enhancer);
    rows += row("Explained", counted(static_cast<std::int64_t>(a.pairs.size()), "pair") + " of " +
                                 counted(static_cast<std::int64_t>(enhancers.size()), "enhancer") +
                                 " by " + joined(names, ", "));
  }
  return element("dl", rows);
}

void weigh_evaluation(const Evaluation& e, std::vector<Html>* out) {
  const auto share = [&](std::int64_t pairs) {
    return percent(static_cast<double>(pairs) / static_cast<double>(e.pairs));
  };
  if (e.ranks) out->push_back(kRanksMeaning);
  if (e.split == "val") {
    out->push_back(
        "The val split also chose the epoch and steered the learning rate, so its r is somewhat "
        "too high; a split that had no influence on training (--split test) does not have this "
        "bias.");
  }
  if (e.overlap.enhancer > 0) {
    out->push_back(share(e.overlap.enhancer) +
                   " of the evaluated pairs have an enhancer that was also "
                   "trained on" +
                   (e.overlap.pair > 0
                        ? ", and " + share(e.overlap.pair) + " are training pairs themselves"
                        : std::string()) +
                   ": they do not test new DNA.");
  }
  if (e.overlap.gene > 0) {
    out->push_back(share(e.overlap.gene) +
                   " of the pairs have a gene that was also trained on. Effects differ by gene, so "
                   "compare with the strongest baseline, not with 0.");
  }
  if (e.unseen_genes) {
    const std::string none = why_no_r(*e.unseen_genes);
    out->push_back(
        counted(e.unseen_genes->metrics.n, "pair") + " are of genes without training pairs" +
        (e.fingerprint.has(kGeneReadout) ? "" : ", whose output column was never trained") +
        ": their r is " +
        (none.empty() ? fixed(e.unseen_genes->metrics.pearson, 3) : "undefined, " + none) +
        (e.seen_genes ? "; the r of the other pairs is " + fixed(e.seen_genes->metrics.pearson, 3)
                      : std::string()) +
        ".");
  }
  if (e.model.constant && e.pairs > 1) {
    out->push_back("All " + counted(e.pairs, "prediction") +
                   " here are equal: correlations are undefined.");
  }
}

void weigh_effects(const std::vector<Pair>& pairs, std::vector<Html>* out) {
  if (!pairs.empty() &&
      std::none_of(pairs.begin(), pairs.end(), [](const Pair& p) { return p.beta > 0.0F; })) {
    out->push_back(
        "No training effect is positive, so the model cannot have learnt about enhancers whose "
        "silencing raises expression.");
  }
}

void weigh_attribution(const Attribution& a, const Dataset& data, std::vector<Html>* out) {
  const auto claim = [&](const Html& sentence) {
    if (!sentence.empty()) out->push_back(sentence);
  };
  claim(uniform_claim(read_spread(a, data.bins)));
  if (!a.without_dna.empty()) {
    const auto without = static_cast<std::int64_t>(a.without_dna.size());
    out->push_back(
        counted(without, "pair") + " of the attribution " + (without == 1 ? "has" : "have") +
        " no DNA (windows of zeros) and is left out of every figure and count of the attribution.");
  }
  weigh_windows(a, out);
  if (a.summary.annotations) {
    for (const AnnotationFile& file : a.summary.annotations->files) {
      for (const std::string& doubt : file.assembly_doubts) {
        out->push_back("Annotations: " + doubt + ".");
      }
    }
  }
  for (const char* method : {"attention", "gradient"}) {
    claim(edge_claim(read_edge_peaks(a, method)));
  }
}

Html cautions(const Material& material) {
  std::vector<Html> points;
  if (material.evaluated) weigh_evaluation(material.evaluated->evaluation, &points);
  weigh_effects(material.data.pairs_of(Split::kTrain), &points);
  if (material.attribution) weigh_attribution(*material.attribution, material.data, &points);
  if (!material.truth) {
    points.emplace_back("Coordinates are assumed to be in " + material.data.assembly +
                        ", as the data set says; nothing here can check that. A bin\u2019s "
                        "embedding may contain information from sequence far beyond the bin, so a "
                        "peak is no evidence at base resolution.");
  }
  if (points.empty()) return {};
  Html items;
  for (const Html& point : points) items += element("li", point);
  return element("aside", {{"class", "cautions"}},
                 element("h2", "Keep in mind when reading") + element("ul", items));
}

}  // namespace

Html report_title(const Material& material) {
  const std::filesystem::path& directory = material.data.directory;
  const std::string name = last_part(directory);
  const std::string above = last_part(directory.lexically_normal().parent_path());
  // A folder called "data" says little without its parent.
  return "CDT on " + (name == "data" && !above.empty() ? above + "/" + name : name);
}

Html report_subtitle(const Material& material) {
  if (!material.evaluated) return "The run so far";
  const Evaluation& e = material.evaluated->evaluation;
  return "How well it predicts " + counted(e.pairs, "pair") + " of " + e.split +
         ", and what its predictions depend on";
}

Html report_opening(const Material& material) {
  return headline(material) + conclusions(material) + facts(material) + cautions(material);
}

}  // namespace cdt
