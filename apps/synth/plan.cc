#include "apps/synth/plan.h"

#include <algorithm>
#include <array>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr const char* kCommandLine = "command line";
constexpr std::int64_t kMostReach = 14;

using Sizes = DatasetWriter::Sizes;

struct Size {
  const char* name;
  const char* help;
  std::int64_t Sizes::*member;
  std::int64_t min, max;
};

// Least sizes: every split has an enhancer, a window has room for two separate sites, and the DNA
// features for three orthogonal directions.
constexpr std::array<Size, 6> kSizes = {{
    {"enhancers", "number of enhancers", &Sizes::enhancers, 20, 65536},
    {"bins", "bins of 128 bp per window", &Sizes::bins, 12, 65536},
    {"genes", "number of genes", &Sizes::genes, 4, 65536},
    {"dna-dim", "DNA features per bin", &Sizes::dna_dim, 4, 65536},
    {"rna-dim", "RNA features per gene", &Sizes::rna_dim, 2, 65536},
    {"protein-dim", "protein features per gene", &Sizes::protein_dim, 1, 65536},
}};

struct Preset {
  const char* name;
  Sizes sizes;
  std::int64_t pairs_per_enhancer;
};

const std::array<Preset, 3> kPresets = {{
    // enhancers, bins, dna_dim, genes, rna_dim, protein_dim
    {"tiny", {60, 16, 8, 8, 6, 5}, 2},
    {"demo", {1600, 48, 32, 24, 16, 24}, 3},
    {"paper", {5434, 896, 3072, 2360, 512, 768}, 1},
}};

}  // namespace

std::int64_t SynthPlan::reach() const {
  return std::clamp(sizes.bins / 64, std::int64_t{1}, kMostReach);
}

SynthPlan preset_plan(const std::string& name) {
  for (const Preset& preset : kPresets) {
    if (name != preset.name) continue;
    SynthPlan plan;
    plan.preset = name;
    plan.sizes = preset.sizes;
    plan.pairs_per_enhancer = preset.pairs_per_enhancer;
    return plan;
  }
  throw Error("no preset " + name);
}

void check_plan(const SynthPlan& plan) {
  for (const Size& size : kSizes) {
    const std::int64_t value = plan.sizes.*size.member;
    if (value >= size.min && value <= size.max) continue;
    throw InputError(
        kCommandLine, std::string("--") + size.name,
        expected_got("out of range", std::to_string(size.min) + " to " + std::to_string(size.max),
                     std::to_string(value)));
  }
}

bool parse_synth_options(int argc, char** argv, SynthOptions* options) {
  Cli cli("cdt-synth",
          "Makes a synthetic data set directory with a planted mechanism, and its truth.json. "
          "Sizes default to those of the preset.");
  SynthPlan given;
  cli.choice("preset", &given.preset, {"tiny", "demo", "paper"}, "sizes to start from");
  cli.choice("mechanism", &given.mechanism, {"none", "gene-only", "dna", kProduct, kSpecific},
             "what effects depend on: nothing, the gene, DNA (equally for every gene), DNA times "
             "the gene's own sensitivity (product), or that of two sites which acts on the gene's "
             "class (specific)");
  for (const Size& size : kSizes) {
    cli.number(size.name, &(given.sizes.*size.member), 0, static_cast<double>(size.max),
               std::string(size.help) + "; 0: as in the preset");
  }
  cli.number("noise", &given.noise, 0.0, 0.5, "standard deviation of the noise in beta");
  cli.flag(
      "gene-starts", &given.gene_starts,
      "write genes.bed too: a start for every gene but the last, inside the window of a tested "
      "enhancer, outside it, or on another chromosome");
  cli.common(&options->common, {"out", "seed", "threads", "quiet"});
  cli.require({"out"});
  if (!cli.parse(argc, argv)) return false;

  options->plan = preset_plan(given.preset);
  for (const Size& size : kSizes) {
    if (given.sizes.*size.member != 0) options->plan.sizes.*size.member = given.sizes.*size.member;
  }
  options->plan.mechanism = given.mechanism;
  options->plan.noise = given.noise;
  options->plan.gene_starts = given.gene_starts;
  options->plan.seed = static_cast<std::uint64_t>(options->common.seed);
  check_plan(options->plan);
  return true;
}

}  // namespace cdt
