// truth.json of a synthetic data set (docs/data-sets.md): what was planted, and the score that a
// perfect model could reach.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// The planted bins of one DNA window, for one gene. A decoy looks like a causal site and has no
/// effect on the gene.
struct TruthSites {
  std::vector<std::int64_t> causal, decoy;
};

/// Class of a gene: the first of a window's sites acts on a, the second on b.
enum class GeneClass { kA, kB };

struct Truth {
  std::map<std::string, double> ceiling;     // split -> Pearson r of noiseless against noisy beta
  std::map<std::string, TruthSites> sites;   // by enhancer; with classes, as they are for class a
  std::map<std::string, GeneClass> classes;  // by gene; empty if the same site acts on every gene
  std::map<std::pair<std::string, std::string>, bool> has_effect;   // by enhancer and gene
  std::map<std::pair<std::string, std::string>, double> noiseless;  // beta without noise

  bool has_classes() const { return !classes.empty(); }
  /// The sites of an enhancer as they are for a gene; nothing for one that is not listed.
  std::optional<TruthSites> sites_for(const std::string& enhancer, const std::string& gene) const;
  /// Noise ceiling of a split, or NaN.
  double ceiling_of(const std::string& split) const;
};

/// Whether a data set has a truth.json. Throws InputError if that cannot be told, or the data set
/// itself is gone.
bool has_truth(const std::filesystem::path& directory);

/// Reads DIRECTORY/truth.json; returns nothing if there is none, as in a data set of measurements.
/// Throws InputError on anything wrong in it; bins must be in [0, bins).
std::optional<Truth> read_truth(const std::filesystem::path& directory, std::int64_t bins);
/// Reads such a file, which must be there.
Truth read_truth_file(const std::filesystem::path& path, std::int64_t bins);
/// Returns that of a data set. Throws InputError if its RNA is of samples, which truth.json does
/// not know.
std::optional<Truth> truth_of(const Dataset& data);

}  // namespace cdt
