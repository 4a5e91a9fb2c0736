// The parts of summary.json about attention maps, annotated elements and planted sites. Means are
// over pairs, intervals from a bootstrap over enhancers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/summary_windows.h"
#include "io/format/json_types.h"
#include "model/stats/bootstrap.h"
#include "model/stats/class_contrast.h"
#include "model/stats/null_tests.h"

namespace cdt {

/// Concentration of one head's attention: means over its query rows and over enhancers with DNA.
struct HeadConcentration {
  double entropy = 0, effective_positions = 0, peak_over_uniform = 0;

  template <class V>
  void fields(V& v) {
    v("entropy_nats", entropy);
    v("effective_positions", effective_positions);
    v("peak_over_uniform", peak_over_uniform);
  }
};

/// Pearson correlation between the rows of each pair of genes in one enhancer's map.
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

/// One array in maps/; maps.json lists them.
struct MapFile {
  std::string name, file;
  std::vector<std::int64_t> shape;  // the last axis is over keys
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

/// Peaks (highest top bins) of one method against the elements of one file.
struct PeakHits : PairCounts {
  std::int64_t on_element = 0;
  double share_on_element = 0, distance_mean_bp = 0, distance_median_bp = 0;

  template <class V>
  void fields(V& v) {
    PairCounts::fields(v);
    v("on_element", on_element);
    v("share_on_element", share_on_element);
    v.group("distance_bp", [&](auto& in) {
      in("mean", distance_mean_bp);
      in("median", distance_median_bp);
    });
  }
};

/// Fold enrichment of permuted top bins.
struct FoldNull {
  double fold = 0;
  ResampledP p;

  template <class V>
  void fields(V& v) {
    v("fold", fold);
    p.fields(v);
  }
};

/// Overlap of one method's top bins with the elements of one class.
struct ClassEnrichment {
  std::string method, file, class_name;
  std::int64_t n = 0;  // pairs with a peak of the method
  std::int64_t top_bins = 0, top_bins_on_class = 0, bins = 0, bins_on_class = 0;
  Estimate fold;
  Nullable<std::string> direction;  // "more", "fewer"
  double odds_ratio = 0, fisher_p = 0, fisher_p_two_sided = 0, fisher_q = 0;
  FoldNull shift, other_windows;
  ResampledP p;  // the reported p
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
  ByName<ByName<PeakHits>> peaks;  // by method, then by file
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
  Estimate auroc, precision;  // AUROC against bins of neither site; precision at k

  template <class V>
  void fields(V& v) {
    v("auroc", auroc);
    v("precision_at_k", precision);
  }
};

struct MethodSiteScores : PairCounts {
  SiteScore causal, decoy;
  Estimate causal_over_decoy;  // AUROC

  template <class V>
  void fields(V& v) {
    PairCounts::fields(v);
    v("causal", causal);
    v("decoy", decoy);
    v.group("causal_over_decoy", [&](auto& in) { in("auroc", causal_over_decoy); });
  }
};

/// Scores over pairs with, or without, a planted effect.
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

/// Whether one method's windows depend on the class of the gene (model/stats/class_contrast.h).
struct MethodClasses {
  OwnOverOther own;        // AUROC
  AlikenessByClass alike;  // Pearson's r of the windows of two genes

  template <class V>
  void fields(V& v) {
    v("enhancers", own.enhancers);
    v.group("own_over_other", [&](auto& in) {
      in("auroc", own.both);
      in("auroc_a", own.first);
      in("auroc_b", own.second);
      in("p_shuffled_classes", own.p);
    });
    v.group("correlation_of_windows", [&](auto& in) {
      in("same_class", alike.same);
      in("other_class", alike.other);
      in("difference", alike.difference);
    });
  }
};

/// Scores of a data set whose genes have two classes, each with a site of its own in every window.
struct GeneClassScores {
  std::int64_t enhancers = 0;  // with DNA, explained for genes of both classes
  std::int64_t genes_a = 0, genes_b = 0;
  std::int64_t permutations = 0;
  ByName<MethodClasses> methods;

  template <class V>
  void fields(V& v) {
    v("enhancers", enhancers);
    v("genes_a", genes_a);
    v("genes_b", genes_b);
    v("permutations", permutations);
    v("methods", methods);
  }
};

}  // namespace cdt
