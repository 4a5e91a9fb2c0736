// Baselines that know only how far an enhancer is from a gene's start; and all baselines of an
// evaluation together.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/evaluation/baselines.h"
#include "apps/evaluation/ridge_baselines.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Fits two baselines on `train`, which must not be empty:
///
///   distance      least squares on ln(1 + bases from the enhancer's centre to the gene's start)
///   nearest_gene  the mean effect of pairs whose gene is the nearest of the data set's genes to
///                 the enhancer, and the mean effect of all others
///
/// Where the distance is unknown, `distance` predicts the mean of all training pairs, and the gene
/// is not the nearest. If no training pair, or every one, has the nearest gene, `nearest_gene`
/// predicts the mean of all.
std::vector<BaselinePrediction> position_baselines(const PlacedPairs& train,
                                                   const PlacedPairs& predicted);

/// Adds --genes FILE to a program that evaluates.
void add_gene_starts_option(Cli* cli, std::filesystem::path* file);

/// The options that decide which baselines are fitted.
struct BaselineChoice {
  std::filesystem::path genes;  // of --genes; if empty, the data set's own gene table is used
  bool ridge = false;           // whether to fit ridge_baselines() without gene starts as well
};

/// Baselines of some pairs, fitted on the data set's training pairs.
struct FittedBaselines {
  std::vector<BaselinePrediction> predictions;  // in the order of kBaselines
  Places places;                                // of the pairs; empty without gene starts
  std::filesystem::path gene_starts = {};       // their file
};

/// Fits gene_baselines(), with gene starts position_baselines(), and with these or if asked for
/// ridge_baselines(), after notes on stderr about what is missing. Nothing if there are no training
/// pairs; throws InputError if an option asked for baselines nevertheless.
FittedBaselines fit_baselines(const BaselineChoice& choice, const Dataset& data,
                              const std::vector<Pair>& pairs, bool quiet);

/// Column of predictions.tsv that holds a baseline's predictions.
inline std::string baseline_column(const std::string& name) { return "baseline_" + name; }

}  // namespace cdt
