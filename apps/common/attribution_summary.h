// The schema of summary.json: what cdt-attribute writes and cdt-report reads (docs/formats.md).
// Each struct lists its keys once (io/format/json_fields.h). NaN, null in the file: undefined.
// Means are over pairs, intervals from a bootstrap over enhancers.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/format/json_fields.h"
#include "model/inputs.h"
#include "model/stats/bootstrap.h"
#include "model/stats/peak_tests.h"
#include "model/stats/profile.h"

namespace cdt {

/// Windows without a peak, by the first reason that applies.
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

/// Of the pairs whose window of one method is defined.
struct MethodNumbers {
  std::int64_t n = 0, undefined = 0;  // of them, and of the others
  UndefinedWindows why;
  Estimate distance_mean_bp, distance_median_bp;  // |peak's offset from the centre|
  Estimate share_near;                            // within 50 kb
  Estimate edge_share;                            // in the outer 5 % of the window
  Estimate entropy, effective_bins, peak_over_uniform;

  template <class V>
  void fields(V& v) {
    v("n", n);
    v("undefined", undefined);
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

/// Of the heads of one attention block, over pairs with DNA.
struct HeadWeights {
  std::vector<double> mean, standard_deviation;

  template <class V>
  void fields(V& v) {
    v("mean", mean);
    v("standard_deviation", standard_deviation);
  }
};

struct MonteCarloError {
  double mean = 0, largest = 0;

  template <class V>
  void fields(V& v) {
    v("mean", mean);
    v("largest", largest);
  }
};

struct MethodSummary : MethodNumbers {
  std::string meaning;
  bool is_signed = false;
  PeakTests uniform, shifted;
  // What only some methods say of themselves.
  std::optional<std::string> baseline, end, norm;
  std::optional<std::int64_t> bins_at_a_time, samples, zero_dna_left_out;
  std::optional<double> noise;
  std::optional<ByName<HeadWeights>> head_weights;  // by block
  std::optional<Nullable<MonteCarloError>> monte_carlo_error;

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

/// Over pairs with a peak of both attention and gradient.
struct SharedTop {
  std::int64_t n = 0;
  double mean = 0, share = 0, median = 0, min = 0, max = 0;  // bins; of the top; bins

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

/// What random peaks give, with the standard errors of a mean over n pairs.
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

/// Of two methods, over pairs with a peak of both.
struct Agreement {
  std::string first, second;
  std::int64_t n = 0, undefined = 0;  // of them, and of the others
  Estimate overlap;                   // bins in both tops
  double share = 0, fold = 0;         // of the top; over its expectation
  NullTest hypergeometric, shifted;
  Estimate pearson, spearman;  // of the windows
  Estimate between_bp;         // distance of the two peaks

  template <class V>
  void fields(V& v) {
    v("first", first);
    v("second", second);
    v("n", n);
    v("undefined", undefined);
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

/// Peaks at the planted sites of one kind.
struct SiteHits {
  std::int64_t pairs = 0;  // with DNA, whose window has such a site
  struct OfMethod {
    std::int64_t n = 0, hits = 0;  // of those pairs: with a peak; with one at the site
    double share() const { return static_cast<double>(hits) / static_cast<double>(n); }
  };
  ByName<OfMethod> methods;  // written only
  double random_share = 0;   // expected of a peak in a random bin

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

/// Of pairs with a planted effect, and of those without.
struct PlantedSites : SiteKinds {
  std::int64_t tolerance_bins = 0;
  SiteKinds without_effect;

  template <class V>
  void fields(V& v) {
    v("tolerance_bins", tolerance_bins);
    SiteKinds::fields(v);
    v("pairs_without_effect", without_effect);
  }
};

/// Means over the query rows of one head and over enhancers with DNA.
struct HeadConcentration {
  double entropy = 0, effective_positions = 0, peak_over_uniform = 0;

  template <class V>
  void fields(V& v) {
    v("entropy_nats", entropy);
    v("effective_positions", effective_positions);
    v("peak_over_uniform", peak_over_uniform);
  }
};

/// Pearson correlation between the rows of every two genes in one enhancer's map.
struct GeneRowCorrelation {
  std::string enhancer;
  std::int64_t pairs = 0, constant_rows = 0;
  double mean = 0, median = 0, min = 0, share_above = 0;

  template <class V>
  void fields(V& v) {
    v("enhancer", enhancer);
    v("pairs", pairs);
    v("constant_rows_left_out", constant_rows);
    v("mean", mean);
    v("median", median);
    v("min", min);
    v("share_above_0.99", share_above);
  }
};

struct MapSummary {
  std::int64_t zero_dna_left_out = 0;  // enhancers
  ByName<std::vector<HeadConcentration>> heads;
  std::optional<std::vector<GeneRowCorrelation>> gene_rows;

  template <class V>
  void fields(V& v) {
    v("zero_dna_left_out", zero_dna_left_out);
    v("heads", heads);
    v("gene_row_correlation", gene_rows);
  }
};

/// One array of maps/; the content of maps.json lists them.
struct MapFile {
  std::string name, file;
  std::vector<std::int64_t> shape;  // the last axis is that of the keys
  std::vector<std::string> axes;
  std::int64_t heads = 0;
  bool depends_on_dna = false;

  template <class V>
  void fields(V& v) {
    v("name", name);
    v("file", file);
    v("shape", shape);
    v("axes", axes);
    v("heads", heads);
    v("depends_on_dna", depends_on_dna);
  }
};

struct MapFiles {
  bool per_head = false;
  std::vector<std::string> enhancers;
  std::vector<MapFile> maps;

  template <class V>
  void fields(V& v) {
    v("per_head", per_head);
    v("enhancers", enhancers);
    v("maps", maps);
  }
};

struct AnnotationFile {
  std::string name, path;
  std::int64_t elements = 0, empty_left_out = 0, without_class = 0;
  std::vector<std::string> classes, assemblies_named, assembly_doubts;

  template <class V>
  void fields(V& v) {
    v("name", name);
    v("path", path);
    v("elements", elements);
    v("empty_left_out", empty_left_out);
    v("without_class", without_class);
    v("classes", classes);
    v("assemblies_named", assemblies_named);
    v("assembly_doubts", assembly_doubts);
  }
};

/// First peaks of one method against the elements of one file.
struct PeakHits {
  std::int64_t n = 0, undefined = 0, on_element = 0;
  double share_on_element = 0, distance_mean_bp = 0, distance_median_bp = 0;

  template <class V>
  void fields(V& v) {
    v("n", n);
    v("undefined", undefined);
    v("on_element", on_element);
    v("share_on_element", share_on_element);
    v.group("distance_bp", [&](auto& in) {
      in("mean", distance_mean_bp);
      in("median", distance_median_bp);
    });
  }
};

/// Folds of permuted top bins.
struct FoldNull {
  double fold = 0;
  ResampledP p;

  template <class V>
  void fields(V& v) {
    v("fold", fold);
    p.fields(v);
  }
};

/// Top bins of one method on the elements of one class.
struct ClassEnrichment {
  std::string method, file, class_name;
  std::int64_t n = 0;  // pairs with a peak of the method
  std::int64_t top_bins = 0, top_bins_on_class = 0, bins = 0, bins_on_class = 0;
  Estimate fold;
  Nullable<std::string> direction;  // "more", "fewer"
  double odds_ratio = 0, fisher_p = 0, fisher_p_two_sided = 0, fisher_q = 0;
  FoldNull shift, other_windows;
  ResampledP p;  // the headline
  double q = 0;  // Benjamini-Hochberg over all methods, files and classes

  template <class V>
  void fields(V& v) {
    v("method", method);
    v("file", file);
    v("class", class_name);
    v("n", n);
    v("top_bins", top_bins);
    v("top_bins_on_class", top_bins_on_class);
    v("bins", bins);
    v("bins_on_class", bins_on_class);
    v("fold", fold);
    v("direction", direction);
    v.group("fisher", [&](auto& in) {
      in("odds_ratio", odds_ratio);
      in("p", fisher_p);
      in("p_two_sided", fisher_p_two_sided);
      in("q", fisher_q);
    });
    v("circular_shift", shift);
    v("other_windows", other_windows);
    p.fields(v);
    v("q", q);
  }
};

struct AnnotationSummary {
  std::string assembly;
  std::vector<AnnotationFile> files;
  std::int64_t pairs = 0, zero_dna_left_out = 0, enhancers = 0, permutations = 0;
  std::uint64_t seed = 0;
  ByName<ByName<PeakHits>> peaks;  // by method, by file
  std::vector<ClassEnrichment> enrichment;

  template <class V>
  void fields(V& v) {
    v("assembly", assembly);
    v("files", files);
    v("pairs", pairs);
    v("zero_dna_left_out", zero_dna_left_out);
    v("enhancers", enhancers);
    v("permutations", permutations);
    v("seed", seed);
    v("peaks", peaks);
    v("enrichment", enrichment);
  }
};

struct SiteScore {
  Estimate auroc, precision;  // against bins of neither site; at k

  template <class V>
  void fields(V& v) {
    v("auroc", auroc);
    v("precision_at_k", precision);
  }
};

struct MethodSiteScores {
  std::int64_t n = 0, undefined = 0;  // windows with a peak, and the others
  SiteScore causal, decoy;
  Estimate causal_over_decoy;  // AUROC

  template <class V>
  void fields(V& v) {
    v("n", n);
    v("undefined", undefined);
    v("causal", causal);
    v("decoy", decoy);
    v.group("causal_over_decoy", [&](auto& in) { in("auroc", causal_over_decoy); });
  }
};

/// Of pairs with, or without, a planted effect.
struct SiteScoreGroup {
  std::int64_t pairs = 0;
  double chance_auroc = 0.5, chance_causal_precision = 0, chance_decoy_precision = 0;
  ByName<MethodSiteScores> methods;

  template <class V>
  void fields(V& v) {
    v("pairs", pairs);
    v.group("chance", [&](auto& in) {
      in("auroc", chance_auroc);
      in("causal_precision_at_k", chance_causal_precision);
      in("decoy_precision_at_k", chance_decoy_precision);
    });
    v("methods", methods);
  }
};

struct TruthScores : SiteScoreGroup {
  BootstrapOptions bootstrap;
  std::int64_t zero_dna_left_out = 0;
  SiteScoreGroup without_effect;

  template <class V>
  void fields(V& v) {
    std::string k = "number of causal bins of the window", over = "enhancers";
    v("k", k);
    v.group("interval", [&](auto& in) {
      in("level", bootstrap.level);
      in("bootstrap_over", over);
      in("replicates", bootstrap.replicates);
      in("seed", bootstrap.seed);
    });
    v("zero_dna_left_out", zero_dna_left_out);
    SiteScoreGroup::fields(v);
    v("pairs_without_effect", without_effect);
  }
};

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
  ByName<ByName<HeadShare>> share;  // by path, by part
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
  std::int64_t pairs = 0;  // with a share
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

/// Of one gradient method's sums over ranges of bins with the effects of their occlusion.
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
  std::int64_t bins_at_a_time = 0;
  std::string baseline;
  std::int64_t zero_dna_left_out = 0;
  ByName<EffectCorrelation> methods;

  template <class V>
  void fields(V& v) {
    v("bins_at_a_time", bins_at_a_time);
    v("baseline", baseline);
    v("zero_dna_left_out", zero_dna_left_out);
    v.rest(methods);
  }
};

struct CompletenessSummary {
  std::string file, baseline;
  std::int64_t zero_dna_left_out = 0;
  double steps_mean = 0, steps_most = 0;
  double error_mean = 0, error_largest = 0;  // over the prediction's change
  double gate = 0;
  std::int64_t beyond_gate_pairs = 0, at_resolution_pairs = 0, incomplete_pairs = 0;

  template <class V>
  void fields(V& v) {
    v("file", file);
    v("baseline", baseline);
    v("zero_dna_left_out", zero_dna_left_out);
    v.group("steps", [&](auto& in) {
      in("mean", steps_mean);
      in("most", steps_most);
    });
    v.group("completeness_error", [&](auto& in) {
      in("mean", error_mean);
      in("largest", error_largest);
    });
    v("gate", gate);
    v("beyond_gate_pairs", beyond_gate_pairs);
    v("at_resolution_pairs", at_resolution_pairs);
    v("incomplete_pairs", incomplete_pairs);
  }
};

struct RegionNumbers {
  std::optional<std::string> region;  // none: all of them
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

struct RegionSummary {
  std::string file, baseline;
  std::int64_t zero_dna_left_out = 0;
  RegionNumbers all;
  std::vector<RegionNumbers> regions;

  template <class V>
  void fields(V& v) {
    v("file", file);
    v("baseline", baseline);
    v("zero_dna_left_out", zero_dna_left_out);
    v("all", all);
    v("regions", regions);
  }
};

/// The whole of summary.json.
struct AttributionSummary {
  static constexpr const char* kFormat = "cdt-attribution";
  static constexpr std::int64_t kVersion = 2;

  std::string format = kFormat;
  std::int64_t version = kVersion;
  Fingerprint fingerprint;
  std::int64_t pairs = 0, enhancers = 0, bins = 0, bin_bp = 0;
  std::int64_t zero_dna = 0;         // pairs of it, undefined for all methods
  Nullable<std::int64_t> untrained;  // pairs whose gene was never trained, where that is known
  std::int64_t null_replicates = 0;
  std::int64_t top = 0;  // bins of a top
  ByName<MethodSummary> methods;
  SharedTop shared_top;
  PeakApart peaks_apart;
  ExpectedPeaks random;
  ByName<double> edge_share;  // by method, and "uniform"
  std::vector<Agreement> agreement;
  std::optional<PlantedSites> planted_sites;
  ByName<std::int64_t> chromosome_sizes;
  std::optional<MapSummary> maps;
  std::optional<AnnotationSummary> annotations;
  std::optional<TruthScores> truth_scores;
  std::optional<PathSummary> paths;
  std::optional<EffectCorrelations> effects;
  std::optional<CompletenessSummary> completeness;
  std::optional<RegionSummary> regions;
  std::vector<std::string> tracks;

  const MethodSummary* method(std::string_view name) const { return find_name(methods, name); }

  template <class V>
  void fields(V& v) {
    // Of the two methods that always run, their numbers under keys of their own too.
    MethodNumbers attention, gradient;
    if (methods.size() > 1) attention = methods[0].second, gradient = methods[1].second;
    v("format", format);
    v("version", version);
    v("fingerprint", fingerprint);
    v("pairs", pairs);
    v("enhancers", enhancers);
    v("bins", bins);
    v("bin_bp", bin_bp);
    v("pairs_with_zero_dna", zero_dna);
    v("pairs_of_untrained_genes", untrained);
    v("zero_dna_left_out", zero_dna);
    v("null_replicates", null_replicates);
    v("top", top);
    v("attention", attention);
    v("gradient", gradient);
    v("methods", methods);
    v("top_overlap", shared_top);
    v("distance_between_peaks_bp", peaks_apart);
    v("random_peaks", random);
    v("edge_share", edge_share);
    v("agreement", agreement);
    v("planted_sites", planted_sites);
    v("chromosome_sizes", chromosome_sizes);
    v("attention_maps", maps);
    v("annotations", annotations);
    v("truth_scores", truth_scores);
    v("paths", paths);
    v("occlusion_vs_gradient", effects);
    v("integrated_gradients", completeness);
    v("occlusion_regions", regions);
    v("tracks", tracks);
  }
};

}  // namespace cdt
