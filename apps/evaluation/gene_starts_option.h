// --genes FILE of the programs that evaluate: baselines that know where a gene starts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/evaluation/baselines.h"
#include "io/dataset/dataset.h"

namespace cdt {

void add_gene_starts_option(Cli* cli, std::filesystem::path* file);

/// position_baselines() with the starts of `file`, of what it lacks a line on stderr; none if there
/// is no file. InputError if the data set has no training pairs to fit them on.
std::vector<BaselinePrediction> further_baselines(const std::filesystem::path& file,
                                                  const Dataset& data,
                                                  const std::vector<Pair>& pairs, bool quiet);

/// The column of predictions.tsv that holds a baseline's predictions.
inline std::string baseline_column(const std::string& name) { return "baseline_" + name; }

}  // namespace cdt
