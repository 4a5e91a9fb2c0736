// The command line of cdt-attribute.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/attribute/choice.h"
#include "apps/attribute/gradient_options.h"
#include "apps/attribute/maps.h"
#include "apps/common/cli.h"
#include "model/checkpoint.h"

namespace cdt {

struct AttributeOptions {
  CommonOptions common;
  ModelOverrides overrides;
  PairChoice choice;
  std::int64_t tracks = 20;
  std::string rng = "philox";
  std::int64_t null_replicates = 9999;
  MapChoice maps;
  GradientOptions gradient;
  double temperature = 0.0;
  std::string methods;
  std::vector<std::string> annotations;
  std::filesystem::path chrom_sizes;
  std::string command;  // the content of command.json
};

/// False if the program is to end with *exit_code, as Cli::parse(). InputError for an option that
/// changes nothing in this run.
bool parse_options(int argc, char** argv, AttributeOptions* options, int* exit_code);

}  // namespace cdt
