// The command line of cdt-predict.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/output_folder.h"
#include "apps/common/shard.h"
#include "apps/evaluation/position_baselines.h"
#include "apps/evaluation/predicted.h"
#include "model/checkpoint.h"
#include "model/stats/statistics.h"

namespace cdt {

struct PredictOptions {
  CommonOptions common;
  ModelOverrides overrides;
  ShardOptions shard;
  std::string split = "val";
  std::filesystem::path replicate;
  BaselineChoice baselines;
  double positive_below = kNaN;  // NaN: positives are labelled 1
  std::int64_t batch_size = 4;
  std::int64_t bootstrap = 2000;
  bool no_controls = false;
  bool bootstrap_given = false;
  std::vector<std::string> combine;  // folders; not empty: combined, and nothing is predicted
  std::vector<std::string> against;  // with combine: folders of other studies

  std::optional<double> threshold() const;  // --positive-below, if it was given
  PredictSettings passes() const;
};

/// Parses the command line; false if there is nothing left to do, as in Cli::parse(). Throws
/// InputError for an option without effect in this run.
bool parse_options(int argc, char** argv, PredictOptions* options);

/// Options of a prediction that Cli::values() has recorded; `source` names their file in messages.
PredictOptions recorded_options(const nlohmann::json& values, const std::string& source);

/// What a prediction reads.
Inputs inputs_of(const PredictOptions& options);

}  // namespace cdt
