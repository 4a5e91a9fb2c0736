#include "apps/evaluation/controls.h"

#include <algorithm>
#include <cmath>

#include "model/stats/statistics.h"

namespace cdt {
namespace {

/// The real predictions, with which every control is compared.
struct Real {
  const Compared& compared;
  std::vector<float> target;
  double pearson = 0;
  BootstrapOptions bootstrap;
};

Control score_control(const ControlName& of, const Real& real,
                      const std::vector<std::vector<float>>& draws) {
  std::vector<double> r;
  double r_sum = 0.0;
  double r2_sum = 0.0;
  for (const std::vector<float>& draw : draws) {
    const Metrics m = compute_metrics(draw, real.target);
    if (!std::isnan(m.pearson)) r.push_back(m.pearson);
    r_sum += std::isnan(m.pearson) ? 0.0 : m.pearson;
    r2_sum += m.r2;
  }
  const auto count = static_cast<double>(draws.size());
  return {of.name,
          of.label,
          static_cast<std::int64_t>(draws.size()),
          mean(r),
          real.compared.ranks ? kNaN : r2_sum / count,
          standard_deviation(r),
          {real.pearson - r_sum / count,
           bootstrap_pearson_difference(real.compared.predictions, draws, real.target,
                                        real.compared.loci, real.bootstrap)}};
}

double largest_change(std::span<const float> before, const std::vector<float>& after) {
  double largest = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(before[i]) - after[i]));
    squares += static_cast<double>(before[i]) * before[i];
  }
  return largest > 0.0 ? largest / std::sqrt(squares / static_cast<double>(after.size())) : 0.0;
}

double variance_by_dna(std::span<const float> real, const std::vector<std::vector<float>>& draws) {
  const double middle = mean(std::vector<double>(real.begin(), real.end()));
  double variance = 0.0;
  double change = 0.0;
  for (std::size_t i = 0; i < real.size(); ++i) {
    variance += (real[i] - middle) * (real[i] - middle);
    for (const std::vector<float>& draw : draws) {
      const double moved = static_cast<double>(draw[i]) - real[i];
      change += 0.5 * moved * moved / static_cast<double>(draws.size());
    }
  }
  return draws.empty() || !(variance > 0.0) ? kNaN : change / variance;
}

}  // namespace

Controls score_controls(const Compared& compared, const ControlPredictions& controls,
                        const BootstrapOptions& bootstrap) {
  Real real{compared, column(compared.pairs, &Pair::beta), 0.0, bootstrap};
  real.pearson = compute_metrics(compared.predictions, real.target).pearson;
  Controls out;
  out.pairs = static_cast<std::int64_t>(compared.pairs.size());
  out.loci = count_loci(compared.loci);
  out.pearson = {real.pearson,
                 bootstrap_pearson(compared.predictions, real.target, compared.loci, bootstrap)};
  if (!controls.shuffled_dna.empty()) {
    out.shuffled_dna = score_control(kShuffledDna, real, controls.shuffled_dna);
  }
  out.mean_dna = score_control(kMeanDna, real, {controls.mean_dna});
  out.shuffled_genes = score_control(kShuffledGenes, real, {controls.shuffled_genes});
  out.variance_by_dna = variance_by_dna(compared.predictions, controls.shuffled_dna);
  out.change_by_genes = largest_change(compared.predictions, controls.shuffled_genes);
  return out;
}

}  // namespace cdt
