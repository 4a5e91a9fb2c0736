// Baselines that know the position of a pair, and one that uses everything available without a
// network: position, gene and the mean of the window's DNA features.
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

/// With more features per bin than this, the ridge regression does without the mean window, and its
/// label says so: time grows with the cube of the columns (about 20 s on two cores at 3072).
inline constexpr std::int64_t kMostPooledFeatures = 4096;

/// Fits two baselines on `train`, which must not be empty:
///
///   distance  least squares on ln(1 + bases from the enhancer's centre to the gene's start)
///   ridge     ridge regression (model/stats/ridge.h) on that distance, on which side of the start
///             the enhancer is (1 downstream, -1 upstream, 0 if the strand is unknown), whether the
///             distance is known, the shrunk mean of the gene's training pairs, and the mean over
///             bins of each DNA feature of the window. Only the penalty of the DNA features is
///             chosen, by folds of whole loci; the other four have the lightest penalty.
///
/// A distance is unknown if the gene's start is, or is on another chromosome: there `distance`
/// predicts the mean of the training pairs, and `ridge` uses the median training distance. For a
/// training pair the gene mean is taken over the gene's other pairs, so as not to reveal its own
/// effect. locus_of_enhancer: one number per enhancer of the data set, not negative. Reads the DNA
/// of each enhancer of the pairs once, with one window in memory at a time; throws InputError as
/// Dataset::read_dna() does, and calls poll(). Memory: 8 bytes x (training pairs + 3 columns +
/// enhancers) x columns.
std::vector<BaselinePrediction> position_baselines(
    const Dataset& data, const GeneStarts& starts, const std::vector<Pair>& train,
    const std::vector<Pair>& pairs, const std::vector<std::int32_t>& locus_of_enhancer,
    int threads = default_threads());

/// Adds --genes FILE to a program that evaluates.
void add_gene_starts_option(Cli* cli, std::filesystem::path* file);

/// Returns position_baselines() with the gene starts of `file`, after a note on stderr about what
/// the file lacks; nothing without a file. Throws InputError if the data set has no training pairs
/// to fit them on.
std::vector<BaselinePrediction> further_baselines(const std::filesystem::path& file,
                                                  const Dataset& data,
                                                  const std::vector<Pair>& pairs, bool quiet);

/// Column of predictions.tsv that holds a baseline's predictions.
inline std::string baseline_column(const std::string& name) { return "baseline_" + name; }

}  // namespace cdt
