// What metrics.json of cdt-predict says that the table of predictions beside it cannot: whether the
// model was trained on the data set's pairs, the second screen, the controls and how further
// baselines are called.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/controls.h"
#include "apps/evaluation/replicate.h"
#include "model/inputs.h"

namespace cdt {

/// kUnknown unless "trained_on_these_pairs" is true or false.
TrainedHere recorded_trained_here(const nlohmann::json& metrics);

/// What --replicate found; nothing if it was not given, or a number is missing.
std::optional<Replicate> recorded_replicate(const nlohmann::json& metrics);

/// Name and label (one of ours, whatever the file says) of the baselines that a reader cannot fit
/// anew: their predictions stand in the table.
std::vector<BaselinePrediction> recorded_baselines(const nlohmann::json& metrics);

/// "controls" or "tested.controls", under labels of ours; nothing if they are not there, or not of
/// `pairs` pairs.
std::optional<Controls> recorded_controls(const nlohmann::json& metrics, const std::string& key,
                                          std::int64_t pairs);

}  // namespace cdt
