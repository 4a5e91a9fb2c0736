// Schema of summary.json, which cdt-attribute writes and cdt-report reads
// (docs/attribution-files.md). Each struct lists its keys once (io/format/json_types.h). NaN, null
// in the file, means undefined.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/summary_effects.h"
#include "apps/common/summary_maps.h"
#include "apps/common/summary_windows.h"
#include "io/format/json_types.h"
#include "model/fingerprint.h"

namespace cdt {

/// The whole summary.json.
struct AttributionSummary {
  static constexpr const char* kFormat = "cdt-attribution";
  static constexpr std::int64_t kVersion = 3;

  std::string format = kFormat;
  std::int64_t version = kVersion;
  Fingerprint fingerprint;
  std::int64_t pairs = 0, enhancers = 0, bins = 0, bin_bp = 0;
  std::int64_t zero_dna = 0;         // pairs whose DNA is all zeros, undefined for all methods
  Nullable<std::int64_t> untrained;  // pairs whose gene was never trained, if that is known
  std::int64_t null_replicates = 0;
  std::int64_t top = 0;  // number of bins in a top
  ByName<MethodSummary> methods;
  SharedTop shared_top;
  PeakApart peaks_apart;
  ExpectedPeaks random;
  ByName<double> edge_share;  // by method, and "uniform"
  std::vector<Agreement> agreement;
  std::optional<PlantedSiteHits> planted_sites;
  ByName<std::int64_t> chromosome_sizes;
  std::optional<MapSummary> maps;
  std::optional<AnnotationSummary> annotations;
  std::optional<TruthScores> truth_scores;
  std::optional<GeneClassScores> gene_classes;
  std::optional<PathSummary> paths;
  std::optional<EffectCorrelations> effects;
  std::optional<CompletenessSummary> completeness;
  std::optional<RegionSummary> regions;
  std::vector<std::string> tracks;

  const MethodSummary* method(std::string_view name) const { return find_name(methods, name); }

  template <class V>
  void fields(V& v) {
    // The two methods that always run also have their numbers under their own keys.
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
    v("gene_classes", gene_classes);
    v("paths", paths);
    v("occlusion_vs_gradient", effects);
    v("integrated_gradients", completeness);
    v("occlusion_regions", regions);
    v("tracks", tracks);
  }
};

}  // namespace cdt
