// The command line of cdt-attribute.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/attribute/choice.h"
#include "apps/common/cli.h"
#include "apps/common/output_folder.h"
#include "apps/common/shard.h"
#include "model/checkpoint.h"
#include "model/stats/null_tests.h"

namespace cdt {

/// Options of the methods beyond the defaults, and of passes that are not methods.
struct GradientOptions {
  std::string baseline = "zero";
  std::int64_t occlude_bins = 8;
  std::int64_t smooth_samples = 25;
  double smooth_noise = 0.1;
  std::string rollout_end = "rna";
  std::string gmar_norm = "l1";
  bool paths = false, path_heads = false, gene_gradients = false;
  std::vector<std::string> occlude_regions;
};

struct MapChoice {
  std::string list;        // names or "all"; "": no maps
  bool per_head = false;   // else the mean over heads
  std::int64_t pairs = 1;  // maps of the enhancers of the first `pairs` pairs
};

struct AttributeOptions {
  CommonOptions common;
  ModelOverrides overrides;
  ShardOptions shard;
  PairChoice choice;
  std::int64_t tracks = 20;
  std::string rng = "philox";
  std::int64_t null_replicates = 9999;
  MapChoice maps;
  GradientOptions gradient;
  double temperature = 0.0;  // of attention_sharpened.npy; 0 for none
  std::string methods;
  std::vector<std::string> annotations;
  std::filesystem::path chrom_sizes;

  NullOptions nulls() const { return {null_replicates, choice.seed}; }
};

/// Parses the command line; false if there is nothing left to do, as in Cli::parse(). Throws
/// InputError for an option without effect in this run.
bool parse_options(int argc, char** argv, AttributeOptions* options);

/// Options of an attribution that Cli::values() has recorded; `source` names their file in
/// messages.
AttributeOptions recorded_attribution_options(const nlohmann::json& values,
                                              const std::string& source);

/// What an attribution reads.
Inputs inputs_of(const AttributeOptions& options);

}  // namespace cdt
