// Reads the parts of cdt-attribute's folder (docs/attribution-files.md) that a report needs.
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
  std::int64_t row = 0;                 // in pairs.tsv and every array of the folder
  std::int32_t enhancer = 0, gene = 0;  // indices in the data set
  double beta = 0;                      // NaN if not measured
  double prediction = 0;
  bool untrained = false;   // whether its gene has no training pair, if known
  std::int32_t sample = 0;  // index in the data set; 0 without samples
};

/// The form that --pair takes.
inline std::string pair_name(const Dataset& data, const AttributedPair& pair) {
  return pair_name(data, Pair{.enhancer = pair.enhancer, .gene = pair.gene, .sample = pair.sample});
}

/// Scores of one method, one row (L) per row of pairs.tsv.
struct MethodWindows {
  std::string name;
  bool is_signed = false;
  NpyFile file;

  /// Scores of the pair; absolute values if the method is signed.
  std::vector<float> profile(const AttributedPair& pair) const;
  /// Whether the window of a pair with DNA has a peak.
  WindowState state(const AttributedPair& pair) const { return window_state(file.row(pair.row)); }
};

struct Attribution {
  std::filesystem::path directory;
  /// Pairs with DNA; in a window of zeros there is nothing to explain.
  std::vector<AttributedPair> pairs;
  std::vector<AttributedPair> without_dna;
  std::vector<MethodWindows> methods;  // attention and gradient first
  AttributionSummary summary;
  std::optional<MapFiles> maps;  // content of maps/maps.json
  std::string command;           // as recorded by cdt-attribute; may be empty
  const MethodWindows* find(const std::string& method) const;
  /// Whether a pair with DNA belongs to this enhancer.
  bool explains(std::int32_t enhancer) const;
  /// Number of rows of pairs.tsv.
  std::int64_t rows() const { return static_cast<std::int64_t>(pairs.size() + without_dna.size()); }
};
/// Reads the folder; throws InputError if it is no attribution, or not one of the page's source.
Attribution read_attribution(const std::filesystem::path& directory, const PageSource& source);
/// Reads its summary.json; `command` made it, or "" if that is unknown.
AttributionSummary read_summary(const std::filesystem::path& path, const std::string& command);

}  // namespace cdt
