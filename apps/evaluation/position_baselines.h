// Baselines that know where a pair lies, and one that knows all that needs no network: position,
// gene and the mean of the window's DNA features.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/evaluation/baselines.h"
#include "engine/cpu/parallel.h"
#include "io/dataset/dataset.h"
#include "io/dataset/gene_starts.h"

namespace cdt {

/// Above this many features of a bin the mean window is left out of the ridge regression, whose
/// label says so: time grows with the cube of the columns (some 20 s of two cores at 3072).
inline constexpr std::int64_t kMostPooledFeatures = 4096;

/// Fitted on `train`, which must not be empty:
///   distance  least squares on ln(1 + bases from the enhancer's centre to the gene's start)
///   ridge     ridge regression (model/stats/ridge.h) on that, the side of the start the enhancer
///   lies on
///             (1 downstream, -1 upstream, 0 where the strand is not known), whether the distance
///             is known, the shrunk mean of the gene's training pairs, and the mean over bins of
///             each DNA feature of the window. Only the penalty of the DNA features is chosen, by
///             folds of whole loci; the four others have the lightest.
/// A distance is not known where the gene's start is not, or lies on another chromosome: there
/// `distance` is the mean of the training pairs, and `ridge` takes the median training distance.
/// A training pair's gene mean is that of the gene's other pairs, since its own effect would show.
/// locus_of_enhancer: one number per enhancer of the data set, not negative. Reads the DNA of each
/// enhancer of the pairs once, one window in memory at a time; InputError as Dataset::read_dna();
/// calls poll(). Memory: 8 bytes x (training pairs + 3 columns + enhancers) x columns.
std::vector<BaselinePrediction> position_baselines(
    const Dataset& data, const GeneStarts& starts, const std::vector<Pair>& train,
    const std::vector<Pair>& pairs, const std::vector<std::int32_t>& locus_of_enhancer,
    int threads = default_threads());

/// --genes FILE of the programs that evaluate.
void add_gene_starts_option(Cli* cli, std::filesystem::path* file);

/// position_baselines() with the starts of `file`, of what it lacks a line on stderr; none if there
/// is no file. InputError if the data set has no training pairs to fit them on.
std::vector<BaselinePrediction> further_baselines(const std::filesystem::path& file,
                                                  const Dataset& data,
                                                  const std::vector<Pair>& pairs, bool quiet);

/// The column of predictions.tsv that holds a baseline's predictions.
inline std::string baseline_column(const std::string& name) { return "baseline_" + name; }

}  // namespace cdt
