// Controls for r: the same model with part of its input shuffled or averaged away. What r loses is
// what it owes to that part.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "apps/evaluation/control_passes.h"
#include "apps/evaluation/loci_count.h"
#include "io/dataset/dataset.h"
#include "io/format/json_types.h"
#include "model/stats/bootstrap.h"

namespace cdt {

/// One control compared with the real predictions. Constant predictions have no r; in a difference
/// they count as 0, since they explain nothing.
struct Control {
  std::string name, label;  // in metrics.json; in tables
  std::int64_t draws = 1;
  double pearson = 0, r2 = 0;  // means over the draws for which they are defined
  double pearson_sd = 0;       // over draws; NaN if there is one
  Estimate difference;         // r of the real inputs minus the mean r of the draws, over loci

  template <class V>
  void fields(V& v) {
    v("label", label);
    v("draws", draws);
    v("pearson", pearson);
    v("pearson_sd", pearson_sd);
    v("r2", r2);
    v("difference", difference);
  }
};

/// Names and labels of the controls.
struct ControlName {
  const char* name;
  const char* label;
};
inline constexpr ControlName kShuffledDna{"shuffled_dna", "DNA shuffled"};
inline constexpr ControlName kMeanDna{"mean_dna", "mean window"};
inline constexpr ControlName kShuffledGenes{"shuffled_genes", "gene rows shuffled"};

struct Controls {
  std::int64_t pairs = 0;  // compared
  LociCount loci;
  Estimate pearson;                // of the real predictions of these pairs, over loci
  Nullable<Control> shuffled_dna;  // if there are at least two enhancers
  Control mean_dna, shuffled_genes;
  /// Share of the variance of predictions due to the enhancer's DNA: half the mean squared change
  /// of a prediction when DNA is shuffled, over the variance. About 0 if DNA has no effect, 1 if
  /// only DNA has; NaN without shuffled DNA or variance.
  double variance_by_dna = 0;
  /// Largest change of a prediction when the genes' rows are shuffled, relative to the root mean
  /// square of the predictions.
  double change_by_genes = 0;

  template <class V>
  void fields(V& v) {
    v("n", pairs);
    loci.fields(v);
    v("pearson", pearson);
    v("shuffled_dna", shuffled_dna);
    v("variance_by_dna", variance_by_dna);
    v("mean_dna", mean_dna);
    v.group("shuffled_genes", [&](auto& in) {
      shuffled_genes.fields(in);
      in("largest_change", change_by_genes);
    });
  }
};

/// The pairs to compare, their real predictions and the locus of each.
struct Compared {
  const std::vector<Pair>& pairs;
  std::span<const float> predictions;
  std::span<const std::int32_t> loci;
  bool ranks = false;  // predictions are scores of ranks (OutputUnits), so R2 is undefined
};

Controls score_controls(const Compared& compared, const ControlPredictions& controls,
                        const BootstrapOptions& bootstrap);

/// Number of distinct values.
template <class T>
std::int64_t distinct(std::span<const T> values) {
  return static_cast<std::int64_t>(std::set<T>(values.begin(), values.end()).size());
}
/// Elements of `all` whose flag is set.
template <class T>
std::vector<T> chosen(std::span<const T> all, const std::vector<bool>& flags) {
  std::vector<T> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (flags[i]) out.push_back(all[i]);
  }
  return out;
}

}  // namespace cdt
