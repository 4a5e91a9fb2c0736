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

// The least sizes: every split has an enhancer, a window has room for two sites apart, and the DNA
// features for three orthogonal directions.
constexpr std::array<Size, 6> kSizes = {{
    {"enhancers", "number of enhancers", &Sizes::enhancers, 20, 65536},
    {"bins", "bins of 128 bp in a window", &Sizes::bins, 12, 65536},
    {"genes", "number of genes", &Sizes::genes, 4, 65536},
    {"dna-dim", "features of a bin", &Sizes::dna_dim, 4, 65536},
    {"rna-dim", "features of a gene", &Sizes::rna_dim, 2, 65536},
    {"protein-dim", "features of a protein", &Sizes::protein_dim, 1, 65536},
}};

}  // namespace

std::int64_t SynthPlan::reach() const {
  return std::clamp(sizes.bins / 64, std::int64_t{1}, kMostReach);
}

std::uint64_t SynthPlan::blob_bytes() const {
  const std::int64_t values = sizes.enhancers * sizes.bins * sizes.dna_dim +
                              sizes.genes * (sizes.rna_dim + sizes.protein_dim);
  return static_cast<std::uint64_t>(values) * sizeof(float);
}

SynthPlan preset_plan(const std::string& name) {
  SynthPlan plan;
  plan.preset = name;
  if (name == "tiny") {
    plan.sizes = {
        .enhancers = 60, .bins = 16, .dna_dim = 8, .genes = 8, .rna_dim = 6, .protein_dim = 5};
    plan.pairs_per_enhancer = 2;
  } else if (name == "demo") {
    plan.sizes = {.enhancers = 1600,
                  .bins = 48,
                  .dna_dim = 32,
                  .genes = 24,
                  .rna_dim = 16,
                  .protein_dim = 24};
    plan.pairs_per_enhancer = 3;
  } else {
    CDT_CHECK(name == "paper", "no preset " + name);
    plan.sizes = {.enhancers = 5434,
                  .bins = 896,
                  .dna_dim = 3072,
                  .genes = 2360,
                  .rna_dim = 512,
                  .protein_dim = 768};
  }
  return plan;
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
          "Makes a data set directory with a planted, known mechanism, and truth.json. The sizes "
          "default to those of the preset.");
  SynthPlan given;
  cli.choice("preset", &given.preset, {"tiny", "demo", "paper"}, "sizes to start from");
  cli.choice(
      "mechanism", &given.mechanism, {"none", "gene-only", "dna", kSpecific},
      "what tells the effects: nothing, the gene's mean, DNA alike for every gene, or DNA by "
      "a gene's own sensitivity");
  for (const Size& size : kSizes) {
    cli.number(size.name, &(given.sizes.*size.member), 0, static_cast<double>(size.max),
               std::string(size.help) + "; 0: the preset's");
  }
  cli.number("noise", &given.noise, 0.0, 0.5, "standard deviation of the noise on beta");
  cli.common(&options->common, {"out", "seed", "threads", "quiet"});
  cli.require({"out"});
  if (!cli.parse(argc, argv)) return false;

  options->plan = preset_plan(given.preset);
  for (const Size& size : kSizes) {
    if (given.sizes.*size.member != 0) options->plan.sizes.*size.member = given.sizes.*size.member;
  }
  options->plan.mechanism = given.mechanism;
  options->plan.noise = given.noise;
  options->plan.seed = static_cast<std::uint64_t>(options->common.seed);
  check_plan(options->plan);
  return true;
}

}  // namespace cdt
