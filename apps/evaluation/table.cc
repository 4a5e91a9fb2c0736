// The summary that cdt-predict prints.
#include <cmath>

#include "apps/common/tables.h"
#include "apps/evaluation/claims.h"
#include "apps/evaluation/details_table.h"
#include "apps/evaluation/evaluation.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// A number with four decimals, as wide as it needs.
std::string number(double value) { return number_cell(value, 0, 4); }

std::string interval(const Interval& i) {
  return is_defined(i) ? interval_cell(i, 16, 4) : "(no interval)";
}

std::string row(const std::string& name, const Score& s) {
  const Metrics& m = s.metrics;
  const std::string p = std::isnan(m.pearson_p) ? text("%10s", "-") : text("%10.2e", m.pearson_p);
  return text("%-21s", name.c_str()) + number_cell(m.pearson, 8, 4) + "  " +
         interval_cell(s.pearson_interval, 16, 4) + p + number_cell(m.spearman, 10, 4) +
         number_cell(m.r2, 9, 4) + number_cell(m.mse, 9, 4) + number_cell(m.mae, 9, 4) + "\n";
}

std::string percent(double share) { return number_cell(100.0 * share, 0, 1) + " %"; }

std::string count_of(std::int64_t count, std::int64_t of) {
  return std::to_string(count) + " of " + std::to_string(of) + " (" +
         percent(static_cast<double>(count) / static_cast<double>(of)) + ")";
}

/// Why a row has "-" instead of a number; empty if it has none.
std::string reason(const Evaluation& e, const Score& s) {
  std::string no_r = why_no_r(s);
  if (!no_r.empty()) return no_r;
  return is_defined(s.pearson_interval) ? std::string() : why_no_interval(e);
}

/// One line per reason, naming the rows that have it.
std::string reasons(const Evaluation& e) {
  std::vector<std::pair<std::string, std::string>> found;  // reason, rows
  const auto add = [&](const std::string& name, const Score& s) {
    const std::string why = reason(e, s);
    if (why.empty()) return;
    for (auto& [known, rows] : found) {
      if (known == why) {
        rows += ", " + name;
        return;
      }
    }
    found.emplace_back(why, name);
  };
  add("model", e.model);
  for (const BaselineScore& b : e.baselines) add(b.label, b.score);
  if (e.unseen_genes) {
    if (e.seen_genes) add("model on trained genes", *e.seen_genes);
    add("model on untrained genes", *e.unseen_genes);
  }
  std::string out;
  for (const auto& [why, rows] : found) {
    out += wrapped("-: ", std::string("undefined for the ").append(rows).append(": ").append(why));
  }
  return out;
}

std::string score_rows(const Evaluation& e) {
  std::string out =
      text("%-21s", "") +
      "       r   95 % interval    two-sided p  Spearman       R2      MSE      MAE\n";
  out += row("model", e.model);
  if (e.unseen_genes) {
    if (e.seen_genes) out += row("  on trained genes", *e.seen_genes);
    out += row("  on untrained genes", *e.unseen_genes);
  }
  for (const BaselineScore& b : e.baselines) out += row(b.label, b.score);
  return out + reasons(e);
}

std::string overlap_rows(const Evaluation& e) {
  std::string out;
  if (e.unseen_genes) {
    out += count_of(e.unseen_genes->metrics.n, e.pairs) + " are of genes without training pairs" +
           (e.fingerprint.has(kGeneReadout) ? "" : ", whose output column was never trained") +
           "\n";
  }
  return out + wrapped("also in train: ", "enhancer " + count_of(e.overlap.enhancer, e.pairs) +
                                              ", locus " + count_of(e.overlap.locus, e.pairs) +
                                              ", gene " + count_of(e.overlap.gene, e.pairs) +
                                              ", pair " + count_of(e.overlap.pair, e.pairs));
}

std::string control_row(const Control& c) {
  const std::string name =
      c.draws > 1 ? c.label + ", " + std::to_string(c.draws) + " draws" : c.label;
  return text("%-28s", name.c_str()) + number_cell(c.pearson, 8, 4) + number_cell(c.r2, 9, 4) +
         number_cell(c.difference.value, 16, 4) + "  " +
         interval_cell(c.difference.interval, 16, 4) + "\n";
}

std::string control_rows(const Controls& c, const std::string& over) {
  std::string out = "controls: the same model" + over + "\n";
  out += text("%-28s", "") + "       r       R2       loss of r   95 % interval\n";
  if (c.shuffled_dna) out += control_row(*c.shuffled_dna);
  out += control_row(c.mean_dna) + control_row(c.shuffled_genes);
  if (std::isnan(c.variance_by_dna)) return out;
  return out + "which enhancer's DNA the model sees accounts for " + percent(c.variance_by_dna) +
         " of the variance of the predictions\n";
}

std::string gain_row(const Evaluation& e, const BaselineScore& strongest) {
  if (std::isnan(strongest.score.metrics.pearson)) return "no baseline has an r above 0\n";
  if (std::isnan(e.gain.difference.value)) return "";
  return "gain in r over the strongest baseline, the " + strongest.label + ": " +
         number(e.gain.difference.value) + " " + interval(e.gain.difference.interval) + "\n";
}

std::string ceiling_rows(const Evaluation& e) {
  std::string out;
  if (!std::isnan(e.noise_ceiling)) {
    out += "noise ceiling r " + number(e.noise_ceiling) + ", of which the model reaches: " +
           (std::isnan(e.model.share_of_ceiling) ? "undefined, the model has no r"
                                                 : percent(e.model.share_of_ceiling)) +
           "\n";
  }
  if (!e.replicate) return out;
  const Replicate& r = *e.replicate;
  out += "second screen, " + number_of(r.pairs, "pair") + ": r " + number(r.pearson.value) + " " +
         interval(r.pearson.interval) + "; the model " + number(r.model_pearson);
  if (r.pearson.value > 0 && !std::isnan(r.model_pearson)) {
    out +=
        ", " + percent(r.share()) + " of that; corrected for attenuation " + number(r.corrected());
  }
  return out + "\n";
}

}  // namespace

std::string why_no_r(const Score& s) {
  if (!std::isnan(s.metrics.pearson)) return "";
  if (s.metrics.n < 2) return "a correlation needs two pairs";
  return s.constant_effects ? "all effects are equal" : "all predictions are equal";
}

std::string why_no_interval(const Evaluation& e) {
  return e.loci.number < 2 ? "an interval needs pairs of two loci"
                           : "no draw of loci has a correlation";
}

std::string summary_table(const Evaluation& e) {
  std::string out =
      e.split + ": " + number_of(e.pairs, "pair") + ", " + number_of(e.enhancers, "enhancer") +
      " in " + loci_text(e.loci) + ", " + number_of(e.genes, "gene") +
      (e.samples > 1 ? ", " + number_of(e.samples, "sample") : "") + "\n" + score_rows(e);
  if (e.ranks) out += wrapped("outputs: ", kRanksMeaning);
  const BaselineScore* strongest = e.strongest_baseline();
  if (strongest == nullptr) {
    out += "no training pairs in the data set: no baselines\n";
  } else {
    out += overlap_rows(e) + gain_row(e, *strongest);
  }
  out += ceiling_rows(e) + within_rows(e) + classification_rows(e) + distance_rows(e);
  if (e.controls) out += control_rows(*e.controls, "");
  if (e.tested_controls) {
    out += control_rows(*e.tested_controls, ", over the " + number_of(e.tested_pairs, "pair") +
                                                " " + tested_pairs_are(e.any_gene_tests()));
  }
  for (const NamedClaim& c : claims_of(e)) out += wrapped(c.name + ": ", c.claim.text);
  if (e.fingerprint.extensions) {
    out += wrapped("extensions: ", *e.fingerprint.extensions + kNotInReleased + ".");
  }
  return out + wrapped("positions: ", about_positions(e.fingerprint));
}

}  // namespace cdt
