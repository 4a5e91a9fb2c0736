// Parts of the summary that cdt-predict prints: what is behind r.
#pragma once

#include <string>

#include "apps/evaluation/evaluation.h"

namespace cdt {

/// Calibration, and r within genes and within enhancers, of the model and the strongest baseline.
std::string within_rows(const Evaluation& evaluation);
/// AUPRC, AUROC and precision of the model and of the baseline with the highest AUPRC; "" if
/// nothing says which pairs are positive.
std::string classification_rows(const Evaluation& evaluation);
/// r and AUPRC by distance to the gene's start; "" without gene starts.
std::string distance_rows(const Evaluation& evaluation);

}  // namespace cdt
