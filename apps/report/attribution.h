// The attribution folder of cdt-attribute (docs/formats.md), as far as a report needs it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/attribution_summary.h"
#include "apps/report/sources.h"
#include "io/format/npy.h"
#include "model/stats/profile.h"

namespace cdt {

struct AttributedPair {
  std::int64_t row = 0;                 // of pairs.tsv and of every array of the folder
  std::int32_t enhancer = 0, gene = 0;  // rows of the data set
  double beta = 0;                      // NaN: not measured
  double prediction = 0;
  bool untrained = false;  // its gene has no training pair, where that is known
};

/// ENHANCER:GENE, as --pair takes it.
inline std::string pair_name(const Dataset& data, const AttributedPair& pair) {
  return pair_name(data, Pair{.enhancer = pair.enhancer, .gene = pair.gene});
}

/// The scores of one method, a row (L) per row of pairs.tsv.
struct MethodWindows {
  std::string name;
  bool is_signed = false;
  NpyFile file;

  /// The pair's scores; the absolute values of a signed method.
  std::vector<float> profile(const AttributedPair& pair) const;
  /// Of a pair with DNA: whether its window has a peak.
  WindowState state(const AttributedPair& pair) const { return window_state(file.row(pair.row)); }
};

struct Attribution {
  std::filesystem::path directory;
  /// Those with DNA: of a window of zeros there is nothing to explain.
  std::vector<AttributedPair> pairs;
  std::vector<AttributedPair> without_dna;
  std::vector<MethodWindows> methods;  // attention and gradient first
  AttributionSummary summary;
  std::optional<MapFiles> maps;  // maps/maps.json
  std::string command;           // as it wrote it down; empty: it did not
  const MethodWindows* find(const std::string& method) const;
  /// A pair with DNA is of this enhancer.
  bool explains(std::int32_t enhancer) const;
  /// Of pairs.tsv.
  std::int64_t rows() const { return static_cast<std::int64_t>(pairs.size() + without_dna.size()); }
};
/// InputError if the folder is no attribution, or not one of the page's source.
Attribution read_attribution(const std::filesystem::path& directory, const PageSource& source);

}  // namespace cdt
