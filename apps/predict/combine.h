// cdt-predict --combine: the predictions of runs of several folds and seeds as one study.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/cli.h"

namespace cdt {

struct CombineOptions {
  CommonOptions common;                   // data, out, seed, quiet
  std::vector<std::string> folders;       // outputs of cdt-predict
  std::vector<std::string> against;       // studies of the same pairs to compare with
  std::optional<double> positive_below;   // nothing: as all predictions were evaluated
  std::optional<std::int64_t> bootstrap;  // replicates; nothing: as for the first prediction
};

/// Writes OUT/study.json, study.tsv and predictions.tsv (of the ensemble), and prints the study.
void combine(const CombineOptions& options);

}  // namespace cdt
