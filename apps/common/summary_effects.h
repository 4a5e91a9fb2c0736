// The parts of summary.json about gradient paths and effects: occlusion against the gradient
// methods, completeness of integrated gradients, regions. Means are over pairs, intervals from a
// bootstrap over enhancers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/summary_windows.h"
#include "io/format/json_types.h"
#include "model/stats/bootstrap.h"

namespace cdt {

struct PathMean {
  Estimate mean;
  double median = 0;

  template <class V>
  void fields(V& v) {
    v("mean", mean);
    v("median", median);
  }
};

struct HeadShare {
  Estimate mean;
  std::vector<double> by_head;

  template <class V>
  void fields(V& v) {
    v("mean", mean);
    v("mean_by_head", by_head);
  }
};

struct PathHeadSummary {
  std::string file;
  std::int64_t pairs = 0;
  ByName<ByName<HeadShare>> share;  // by path, then by part
  double additivity_error = 0;

  template <class V>
  void fields(V& v) {
    v("file", file);
    v("pairs", pairs);
    v("share", share);
    v("additivity_error", additivity_error);
  }
};

struct PathSummary {
  std::vector<std::string> parts;
  std::int64_t pairs = 0;  // those that have a share
  std::int64_t zero_dna_left_out = 0, zero_gradient_left_out = 0;
  ByName<PathMean> share, product;  // by part
  std::string norms_file, products_file;
  double additivity_error = 0, additivity_gate = 0;
  std::int64_t beyond_gate_pairs = 0;
  std::optional<PathHeadSummary> heads;

  template <class V>
  void fields(V& v) {
    bool norms_add = false, products_add = true;
    v("parts", parts);
    v("pairs", pairs);
    v("zero_dna_left_out", zero_dna_left_out);
    v("zero_gradient_left_out", zero_gradient_left_out);
    v("share", share);
    v.group("norms", [&](auto& in) {
      in("file", norms_file);
      in("additive", norms_add);
    });
    v.group("products", [&](auto& in) {
      in("file", products_file);
      in("additive", products_add);
      in("sum_over_window", product);
    });
    v("additivity_error", additivity_error);
    v("additivity_gate", additivity_gate);
    v("beyond_gate_pairs", beyond_gate_pairs);
    v("heads", heads);
  }
};

/// Correlation between one gradient method's sums over whole ranges of bins and the effects of
/// occluding them.
struct EffectCorrelation {
  std::string claim, of;
  std::int64_t pairs = 0, undefined = 0;
  Estimate pearson_mean;
  double pearson_median = 0;

  template <class V>
  void fields(V& v) {
    v("claim", claim);
    v("of", of);
    v("pairs", pairs);
    v("undefined", undefined);
    v("pearson_mean", pearson_mean);
    v("pearson_median", pearson_median);
  }
};

struct EffectCorrelations {
  std::int64_t bins_at_a_time = 0, ranges = 0;  // ranges: those of a window that are compared
  std::string baseline;
  std::int64_t zero_dna_left_out = 0;
  ByName<EffectCorrelation> methods;

  template <class V>
  void fields(V& v) {
    v("bins_at_a_time", bins_at_a_time);
    v("ranges", ranges);
    v("baseline", baseline);
    v("zero_dna_left_out", zero_dna_left_out);
    v.rest(methods);
  }
};

/// A measurement against a baseline, with a file of one row per pair.
struct BaselineFile {
  std::string file, baseline;
  std::int64_t zero_dna_left_out = 0;  // pairs

  template <class V>
  void fields(V& v) {
    v("file", file);
    v("baseline", baseline);
    v("zero_dna_left_out", zero_dna_left_out);
  }
};

struct CompletenessSummary : BaselineFile {
  double steps_mean = 0, steps_most = 0;
  MeanLargest error;  // relative to the prediction's change
  double gate = 0;
  std::int64_t beyond_gate_pairs = 0, at_resolution_pairs = 0, incomplete_pairs = 0;

  template <class V>
  void fields(V& v) {
    BaselineFile::fields(v);
    v.group("steps", [&](auto& in) {
      in("mean", steps_mean);
      in("most", steps_most);
    });
    v("completeness_error", error);
    v("gate", gate);
    v("beyond_gate_pairs", beyond_gate_pairs);
    v("at_resolution_pairs", at_resolution_pairs);
    v("incomplete_pairs", incomplete_pairs);
  }
};

struct RegionNumbers {
  std::optional<std::string> region;  // empty for all regions together
  std::int64_t n = 0;
  double difference_mean = 0, gradient_claim_mean = 0;
  Estimate pearson;

  template <class V>
  void fields(V& v) {
    v("region", region);
    v("n", n);
    v("difference_mean", difference_mean);
    v("gradient_claim_mean", gradient_claim_mean);
    v("pearson", pearson);
  }
};

struct RegionSummary : BaselineFile {
  RegionNumbers all;
  std::vector<RegionNumbers> regions;

  template <class V>
  void fields(V& v) {
    BaselineFile::fields(v);
    v("all", all);
    v("regions", regions);
  }
};

}  // namespace cdt
