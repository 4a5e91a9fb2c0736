// The summary that cdt-predict prints.
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "apps/predict/evaluation.h"

namespace cdt {
namespace {

/// Four decimals, or "-" where undefined.
std::string fixed(double value, int width) {
  char text[64];
  if (std::isnan(value)) {
    std::snprintf(text, sizeof text, "%*s", width, "-");
  } else {
    std::snprintf(text, sizeof text, "%*.4f", width, value);
  }
  return text;
}

std::string p_value(double p) {
  char text[64];
  if (std::isnan(p)) return "         -";
  std::snprintf(text, sizeof text, "%10.2e", p);
  return text;
}

std::string interval(const Interval& i) {
  if (std::isnan(i.low)) return "[     -,      -]";
  return "[" + fixed(i.low, 6) + ", " + fixed(i.high, 6) + "]";
}

std::string row(const char* name, const Score& s) {
  const Metrics& m = s.metrics;
  char label[32];
  std::snprintf(label, sizeof label, "%-12s", name);
  return label + fixed(m.pearson, 8) + "  " + interval(s.pearson_interval) + p_value(m.pearson_p) +
         fixed(m.spearman, 10) + fixed(m.r2, 9) + fixed(m.mse, 9) + fixed(m.mae, 9) + "\n";
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100.0 * share);
  return text;
}

std::string count_of(std::int64_t count, std::int64_t of) {
  return std::to_string(count) + " of " + std::to_string(of) + " (" +
         percent(static_cast<double>(count) / static_cast<double>(of)) + ")";
}

}  // namespace

std::string summary_table(const Evaluation& e) {
  std::string out = e.split + ": " + std::to_string(e.pairs) + " pairs, " +
                    std::to_string(e.enhancers) + " enhancers, " + std::to_string(e.genes) +
                    " genes\n";
  out +=
      "                   r   95 % interval             p  Spearman       R2      MSE      MAE\n";
  out += row("model", e.model);
  if (e.gene_mean) out += row("gene mean", *e.gene_mean);
  if (e.global_mean) out += row("global mean", *e.global_mean);
  if (!e.gene_mean) out += "no training pairs in the data set: no baselines\n";
  if (e.constant_effects) {
    out += "- : undefined, all effects of the split are equal; R2 is then 0\n";
  } else if (e.model.constant) {
    out += "- : undefined, the prediction is constant; that of the model too\n";
  } else if (e.global_mean) {
    out += "- : undefined, the prediction is constant\n";
  }
  if (e.gene_mean) {
    out += "r over the gene mean's: " +
           fixed(e.model.metrics.pearson - e.gene_mean->metrics.pearson, 0) + " " +
           interval(e.gain_interval) + "\n";
    out += "also in train: enhancer " + count_of(e.overlap.enhancer, e.pairs) + ", gene " +
           count_of(e.overlap.gene, e.pairs) + ", pair " + count_of(e.overlap.pair, e.pairs) + "\n";
  }
  if (!std::isnan(e.noise_ceiling)) {
    out +=
        "noise ceiling r " + fixed(e.noise_ceiling, 0) +
        (std::isnan(e.model.share_of_ceiling) ? ", what is reached of it is undefined"
                                              : ", reached: " + percent(e.model.share_of_ceiling)) +
        "\n";
  }
  if (e.replicate) {
    const Replicate& r = *e.replicate;
    out += "second screen, " + std::to_string(r.pairs) + " pairs: r " + fixed(r.pearson, 0) + " " +
           interval(r.interval) + "; the model " + fixed(r.model_pearson, 0);
    if (r.pearson > 0 && !std::isnan(r.model_pearson)) {
      out += ", " + percent(r.share()) + " of it, corrected for attenuation " +
             fixed(r.corrected(), 0);
    }
    out += "\n";
  }
  return out;
}

}  // namespace cdt
