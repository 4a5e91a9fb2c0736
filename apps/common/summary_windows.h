// The parts of summary.json about windows: where peaks are, how sharp windows are, how methods
// agree, and what is expected by chance. Means are over pairs, intervals from a bootstrap over
// enhancers.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/format/json_types.h"
#include "model/stats/bootstrap.h"
#include "model/stats/peak_tests.h"
#include "model/stats/profile.h"

namespace cdt {

/// Numbers of pairs with a defined window and of the others, which are excluded.
struct PairCounts {
  std::int64_t n = 0, undefined = 0;

  template <class V>
  void fields(V& v) {
    v("n", n);
    v("undefined", undefined);
  }
};

struct MeanLargest {
  double mean = 0, largest = 0;

  template <class V>
  void fields(V& v) {
    v("mean", mean);
    v("largest", largest);
  }
};

/// Windows without a peak, counted by the first reason that applies.
struct UndefinedWindows {
  std::int64_t zero_dna = 0, one_bin = 0, zero = 0, equal = 0;

  template <class V>
  void fields(V& v) {
    v("zero_dna", zero_dna);
    v("one_bin", one_bin);
    v("zero", zero);
    v("equal", equal);
  }
};

/// Numbers over the windows of one method.
struct MethodNumbers : PairCounts {
  UndefinedWindows why;
  Estimate distance_mean_bp, distance_median_bp;  // |peak's offset from the centre|
  Estimate share_near;                            // within 50 kb
  Estimate edge_share;                            // in the outer 5 % of the window
  Estimate entropy, effective_bins, peak_over_uniform;

  template <class V>
  void fields(V& v) {
    PairCounts::fields(v);
    v("undefined_why", why);
    v.group("peak_distance_bp", [&](auto& in) {
      in("mean", distance_mean_bp);
      in("median", distance_median_bp);
      in("share_within_50kb", share_near);
    });
    v("peak_in_outer_5_percent", edge_share);
    v("entropy_nats", entropy);
    v("effective_bins", effective_bins);
    v("peak_over_uniform", peak_over_uniform);
  }
};

/// Weights of the heads of one attention block, over pairs with DNA.
struct HeadWeights {
  std::vector<double> mean, standard_deviation;

  template <class V>
  void fields(V& v) {
    v("mean", mean);
    v("standard_deviation", standard_deviation);
  }
};

struct MethodSummary : MethodNumbers {
  std::string meaning;
  bool is_signed = false;
  PeakTests uniform, shifted;
  // Settings and numbers that only some methods have.
  std::optional<std::string> baseline, end, norm;
  std::optional<std::int64_t> bins_at_a_time, samples, zero_dna_left_out;
  std::optional<double> noise;
  std::optional<ByName<HeadWeights>> head_weights;  // by block
  std::optional<Nullable<MeanLargest>> monte_carlo_error;

  template <class V>
  void fields(V& v) {
    v("meaning", meaning);
    v("signed", is_signed);
    MethodNumbers::fields(v);
    v.group("null", [&](auto& in) {
      in("uniform", uniform);
      in("circular_shift", shifted);
    });
    v("baseline", baseline);
    v("bins_at_a_time", bins_at_a_time);
    v("end", end);
    v("norm", norm);
    v("head_weights", head_weights);
    v("zero_dna_left_out", zero_dna_left_out);
    v("samples", samples);
    v("noise", noise);
    v("monte_carlo_error", monte_carlo_error);
  }
};

/// Top bins shared by attention and gradient, over pairs in which both have a peak.
struct SharedTop {
  std::int64_t n = 0;
  double mean = 0, share = 0, median = 0, min = 0, max = 0;  // bins; share of the top; bins

  template <class V>
  void fields(V& v) {
    v("n", n);
    v("mean", mean);
    v("share", share);
    v("median", median);
    v("min", min);
    v("max", max);
  }
};

struct PeakApart {
  std::int64_t n = 0;
  double mean_bp = 0, median_bp = 0;

  template <class V>
  void fields(V& v) {
    v("n", n);
    v("mean", mean_bp);
    v("median", median_bp);
  }
};

/// Expectation for random peaks, with the standard errors of a mean over n pairs.
struct ExpectedPeaks {
  std::int64_t n = 0;
  RandomPeaks of;

  template <class V>
  void fields(V& v) {
    const double root = std::sqrt(static_cast<double>(n));
    double distance_error = of.distance_sd_bp / root, overlap_error = of.overlap_sd / root;
    v("n", n);
    v.group("peak_distance_bp", [&](auto& in) {
      in("mean", of.distance_mean_bp);
      in("mean_standard_error", distance_error);
      in("median", of.distance_median_bp);
      in("share_within_50kb", of.share_near);
    });
    v("peak_in_outer_5_percent", of.edge_share);
    v.group("top_overlap", [&](auto& in) {
      in("mean", of.overlap_mean);
      in("mean_standard_error", overlap_error);
    });
    v.group("distance_between_peaks_bp", [&](auto& in) {
      in("mean", of.between_mean_bp);
      in("median", of.between_median_bp);
    });
  }
};

/// Agreement of two methods, over pairs in which both have a peak.
struct Agreement : PairCounts {
  std::string first, second;
  Estimate overlap;            // bins in both tops
  double share = 0, fold = 0;  // of the top; relative to the expectation
  NullTest hypergeometric, shifted;
  Estimate pearson, spearman;  // of the windows
  Estimate between_bp;         // distance between the two peaks

  template <class V>
  void fields(V& v) {
    v("first", first);
    v("second", second);
    PairCounts::fields(v);
    v.group("top_overlap", [&](auto& in) {
      in("mean", overlap);
      in("share", share);
      in("fold", fold);
      in("hypergeometric", hypergeometric);
      in("circular_shift", shifted);
    });
    v("pearson", pearson);
    v("spearman", spearman);
    v("distance_between_peaks_bp", between_bp);
  }
};

/// Hits of the peaks at planted sites of one kind.
struct SiteHits {
  std::int64_t pairs = 0;  // pairs with DNA whose window has such a site
  struct OfMethod {
    std::int64_t n = 0, hits = 0;  // of those pairs: with a peak; with a peak at the site
    double share() const { return static_cast<double>(hits) / static_cast<double>(n); }
  };
  ByName<OfMethod> methods;  // written but not read
  double random_share = 0;   // expected for a peak in a random bin

  template <class V>
  void fields(V& v) {
    v("n", pairs);
    for (auto& [name, of] : methods) {
      double share = of.share();
      v(name + "_n", of.n);
      v(name + "_hits", of.hits);
      v(name + "_share", share);
    }
    v("random_share", random_share);
  }
};

struct SiteKinds {
  SiteHits causal, decoy;

  template <class V>
  void fields(V& v) {
    v("causal", causal);
    v("decoy", decoy);
  }
};

/// Hits for pairs with a planted effect, and for pairs without.
struct PlantedSiteHits : SiteKinds {
  std::int64_t tolerance_bins = 0;
  SiteKinds without_effect;

  template <class V>
  void fields(V& v) {
    v("tolerance_bins", tolerance_bins);
    SiteKinds::fields(v);
    v("pairs_without_effect", without_effect);
  }
};

}  // namespace cdt
