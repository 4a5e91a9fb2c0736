// What cdt-synth is asked to make: sizes, noise and seed, from a preset and the options that
// override it.
#pragma once

#include <cstdint>
#include <string>

#include "apps/common/cli.h"
#include "io/dataset/dataset_writer.h"

namespace cdt {

/// The default mechanism, which truth.json and dataset.json do not record.
inline constexpr const char* kProduct = "product";
/// The mechanism whose genes have two classes, each with a site of its own.
inline constexpr const char* kSpecific = "specific";

struct SynthPlan {
  std::string preset = "demo";
  std::string mechanism = kProduct;  // none, gene-only, dna, product or specific (mechanism.h)
  DatasetWriter::Sizes sizes;
  std::int64_t pairs_per_enhancer = 1;  // each with a different gene
  double noise = 0.08;                  // standard deviation of the noise in beta
  std::uint64_t seed = 0;
  bool gene_starts = false;  // whether to write genes.bed (gene_places.h)

  /// Half width of a site in bins; a site covers 2 * reach + 1 bins.
  std::int64_t reach() const;
  bool has_classes() const { return mechanism == kSpecific; }
};

/// Plan of a preset. tiny: seconds to train; demo: minutes on two cores; paper: the sizes of the
/// published run.
SynthPlan preset_plan(const std::string& name);

/// Throws InputError("command line", "--bins", ...) for a size in which the mechanism has no room.
void check_plan(const SynthPlan& plan);

struct SynthOptions {
  CommonOptions common;  // out, seed, threads, quiet
  SynthPlan plan;
};

/// Parses the command line; false if there is nothing left to do, as in Cli::parse().
bool parse_synth_options(int argc, char** argv, SynthOptions* options);

}  // namespace cdt
