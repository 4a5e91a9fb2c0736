// The summary that cdt-predict prints.
#include <cmath>

#include "apps/common/format.h"
#include "apps/evaluation/evaluation.h"

namespace cdt {
namespace {

/// Four decimals, as long as they are.
std::string number(double value) { return number_cell(value, 0, 4); }

std::string interval(const Interval& i) {
  return is_defined(i) ? interval_cell(i, 16, 4) : "(no interval)";
}

std::string row(const char* name, const Score& s) {
  const Metrics& m = s.metrics;
  const std::string p = std::isnan(m.pearson_p) ? text("%10s", "-") : text("%10.2e", m.pearson_p);
  return text("%-12s", name) + number_cell(m.pearson, 8, 4) + "  " +
         interval_cell(s.pearson_interval, 16, 4) + p + number_cell(m.spearman, 10, 4) +
         number_cell(m.r2, 9, 4) + number_cell(m.mse, 9, 4) + number_cell(m.mae, 9, 4) + "\n";
}

std::string percent(double share) { return number_cell(100.0 * share, 0, 1) + " %"; }

std::string count_of(std::int64_t count, std::int64_t of) {
  return std::to_string(count) + " of " + std::to_string(of) + " (" +
         percent(static_cast<double>(count) / static_cast<double>(of)) + ")";
}

/// A line on what "-" stands for in a row; empty where it does not stand there.
std::string reason(const Evaluation& e, const char* name, const Score& s) {
  const std::string r = why_no_r(e, s);
  const std::string what = !r.empty()                       ? r
                           : is_defined(s.pearson_interval) ? std::string()
                                                            : why_no_interval(e);
  return what.empty() ? what : "-: undefined for the " + std::string(name) + ": " + what + "\n";
}

}  // namespace

std::string why_no_r(const Evaluation& e, const Score& s) {
  if (!std::isnan(s.metrics.pearson)) return "";
  if (e.pairs < 2) return "a correlation needs two pairs";
  return s.constant ? "its predictions are all equal" : "the effects are all equal";
}

std::string why_no_interval(const Evaluation& e) {
  return e.enhancers < 2 ? "an interval needs pairs of two enhancers"
                         : "no draw of enhancers has a correlation";
}

std::string summary_table(const Evaluation& e) {
  std::string out = e.split + ": " + number_of(e.pairs, "pair") + ", " +
                    number_of(e.enhancers, "enhancer") + ", " + number_of(e.genes, "gene") + "\n";
  out += "                   r   95 % interval two-sided p  Spearman       R2      MSE      MAE\n";
  out += row("model", e.model);
  if (e.gene_mean) out += row("gene mean", *e.gene_mean);
  if (e.global_mean) out += row("global mean", *e.global_mean);
  if (!e.gene_mean) out += "no training pairs in the data set: no baselines\n";
  out += reason(e, "model", e.model);
  if (e.gene_mean) out += reason(e, "gene mean", *e.gene_mean);
  if (e.global_mean) out += reason(e, "global mean", *e.global_mean);
  if (e.gene_mean) {
    const double gain = e.model.metrics.pearson - e.gene_mean->metrics.pearson;
    out += "r over the gene mean's: " +
           (std::isnan(gain) ? "undefined" : number(gain) + " " + interval(e.gain_interval)) +
           "\nalso in train: enhancer " + count_of(e.overlap.enhancer, e.pairs) + ", gene " +
           count_of(e.overlap.gene, e.pairs) + ", pair " + count_of(e.overlap.pair, e.pairs) + "\n";
  }
  if (!std::isnan(e.noise_ceiling)) {
    out += "noise ceiling r " + number(e.noise_ceiling) + ", reached: " +
           (std::isnan(e.model.share_of_ceiling) ? "undefined, the model has no r"
                                                 : percent(e.model.share_of_ceiling)) +
           "\n";
  }
  if (e.replicate) {
    const Replicate& r = *e.replicate;
    out += "second screen, " + number_of(r.pairs, "pair") + ": r " + number(r.pearson) + " " +
           interval(r.interval) + "; the model " + number(r.model_pearson);
    if (r.pearson > 0 && !std::isnan(r.model_pearson)) {
      out +=
          ", " + percent(r.share()) + " of it, corrected for attenuation " + number(r.corrected());
    }
    out += "\n";
  }
  return out;
}

}  // namespace cdt
