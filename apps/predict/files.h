// The files of a prediction: predictions.tsv, controls.tsv, metrics.json and provenance.json.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/control_passes.h"
#include "apps/evaluation/evaluation.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Text of predictions.tsv: enhancer, gene, beta, prediction, and a column for each baseline.
std::string predictions_tsv(const Dataset& data, const std::vector<Pair>& pairs,
                            const std::vector<float>& predictions,
                            const std::vector<BaselinePrediction>& baselines);

/// Text of controls.tsv, whose rows are those of predictions.tsv: enhancer, gene, and the
/// prediction under each control.
std::string controls_tsv(const Dataset& data, const std::vector<Pair>& pairs,
                         const ControlPredictions& controls);

/// Writes metrics.json together with the tables it was computed from, whose digests it holds, and
/// provenance.json, or none of them; an earlier metrics.json is removed before its tables are
/// replaced. All are on disk by then. controls: "" if there are none, which removes an earlier
/// controls.tsv.
void write_prediction(const std::filesystem::path& folder, const std::string& predictions,
                      const std::string& controls, const std::string& provenance,
                      Evaluation* evaluation);

}  // namespace cdt
