#include "apps/attribute/options.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/attribute/methods.h"
#include "apps/common/session.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr const char* kProgram = "cdt-attribute";
constexpr const char* kSummary =
    "Computes attention and gradient windows over the DNA bins of chosen pairs. Writes "
    "OUT/pairs.tsv, attention.npy, gradient.npy, peaks.tsv, tracks/ and summary.json.";

/// Names of the methods beyond the defaults.
std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& method : all_methods().subspan(kDefaultMethods)) {
    names.emplace_back(method.name);
  }
  return names;
}

/// Whether an option has any effect in this run, and what it needs to have one.
struct Use {
  std::string option;
  bool is_used;
  std::string needs;
};

/// Uses of the options that methods read. --baseline is also read by --occlude-region.
std::vector<Use> uses_by_methods(const AttributeOptions& options) {
  const Methods running = choose_methods(options.methods);
  std::vector<Use> uses;
  for (const Method& method : all_methods()) {
    for (const char* option : method.options) {
      if (option == nullptr) continue;
      const bool runs = std::find(running.begin(), running.end(), &method) != running.end();
      const auto use =
          std::find_if(uses.begin(), uses.end(), [&](const Use& u) { return u.option == option; });
      if (use == uses.end()) {
        uses.push_back({option, runs, method.name});
      } else {
        use->is_used = use->is_used || runs;
        use->needs += std::string(" or ") + method.name;
      }
    }
  }
  for (Use& use : uses) {
    use.needs += " among --methods";
    if (use.option != "baseline") continue;
    use.is_used = use.is_used || !options.gradient.occlude_regions.empty();
    use.needs = "--occlude-region, or " + use.needs;
  }
  return uses;
}

/// Throws InputError for options without effect in this run: whoever gave them expects one.
void expect_a_use(const Cli& cli, const AttributeOptions& options) {
  const GradientOptions& gradient = options.gradient;
  const MapChoice& maps = options.maps;
  std::vector<Use> uses = uses_by_methods(options);
  uses.push_back({"rng", options.choice.sample > 0, "--sample"});
  uses.push_back({"path-heads", gradient.paths || !gradient.path_heads, "--paths"});
  uses.push_back({"maps-per-head", !maps.list.empty() || !maps.per_head, "--maps"});
  uses.push_back({"map-pairs", !maps.list.empty(), "--maps"});
  for (const Use& use : uses) {
    if (use.is_used || !cli.was_set(use.option)) continue;
    throw InputError("command line", "--" + use.option,
                     "changes nothing here: it needs " + use.needs);
  }
}

void add_choice_options(Cli* cli, AttributeOptions* options) {
  PairChoice* choice = &options->choice;
  cli->option("pair", &choice->pairs,
              "ENHANCER:GENE to explain, with samples ENHANCER:GENE:SAMPLE; may be repeated");
  cli->option("pairs", &choice->file,
              "TSV of pairs, columns enhancer and gene, with samples also sample");
  cli->choice("split", &choice->split, {"train", "val", "test"}, "explain the pairs of a split");
  cli->number("sample", &choice->sample, 0, 1e15,
              "explain N random pairs of the split, drawn with --seed; 0: all");
  cli->choice("rng", &options->rng, {"philox", "numpy-legacy"},
              "generator of the sample; numpy-legacy: as np.random.seed(SEED) and choice(.., N, "
              "replace=False), in the order drawn");
  cli->flag("all-genes", &choice->all_genes,
            "explain every gene of the data set for each chosen enhancer");
}

void add_map_options(Cli* cli, MapChoice* maps) {
  cli->option("maps", &maps->list,
              "whole attention maps to write, comma-separated (dna_self_attn_layers.0, dna_to_rna, "
              "vce.dna, ...), or all");
  cli->flag("maps-per-head", &maps->per_head, "write the map of each head instead of their mean");
  cli->number("map-pairs", &maps->pairs, 1, 100000,
              "write maps for the enhancers of the first N pairs");
}

void add_gradient_options(Cli* cli, GradientOptions* options) {
  cli->choice(
      "baseline", &options->baseline, {"zero", "mean"},
      "baseline of integrated gradients and occlusion: zero, or the data set's mean window");
  cli->number("occlude-bins", &options->occlude_bins, 1, 1e9,
              "number of bins that occlusion replaces at a time");
  cli->option("occlude-region", &options->occlude_regions,
              "predict with this region replaced by the baseline, write occlusion_regions.tsv; "
              "bins FIRST-LAST counting from 0, or bases such as chr8:127700001-127701000 counting "
              "from 1; may be repeated");
  cli->choice(
      "rollout-end", &options->rollout_end, {"rna", "dna-pool"},
      "last attention of attention_rollout and attention_gmar: rna, the gene's row of dna_to_rna, "
      "or dna-pool, the row of DNA pooling, which the prediction reads directly");
  cli->choice("gmar-norm", &options->gmar_norm, {"l1", "l2"},
              "norm of the gradients at the maps by which attention_gmar weights heads");
  cli->number("smooth-samples", &options->smooth_samples, 1, 65536,
              "number of noisy copies that SmoothGrad averages over");
  cli->number("smooth-noise", &options->smooth_noise, 0, 1000,
              "standard deviation of SmoothGrad's noise as a share of the DNA input's range");
  cli->flag("paths", &options->paths,
            "split each gradient by its path to DNA: direct, via RNA, via protein; write paths.npy "
            "(norms) and paths_product.npy (gradient x input, which adds up)");
  cli->flag("path-heads", &options->path_heads,
            "with --paths: split the paths via RNA and protein by head of the cross-attention to "
            "DNA, into values and pattern; write path_heads.tsv");
  cli->flag("gene-gradients", &options->gene_gradients,
            "write the gradient norms at the RNA and protein inputs, rna_gradient.npy and "
            "protein_gradient.npy");
}

void add_options(Cli* cli, AttributeOptions* options) {
  cli->common(&options->common);
  cli->common(&options->common, {"attention"});
  cli->require({"data", "model", "out"});
  add_choice_options(cli, options);
  cli->number("tracks", &options->tracks, 0, 100000,
              "write genome browser tracks for the first N pairs");
  cli->names("methods", &options->methods, method_names(),
             "methods besides attention and gradient, comma-separated");
  cli->number("null-replicates", &options->null_replicates, 1, 1e7,
              "draws from each null distribution behind a p-value");
  add_map_options(cli, &options->maps);
  cli->number("temperature", &options->temperature, 0, 1000,
              "also write attention_sharpened.npy at this temperature (the paper's figure: 0.3)");
  cli->paths("annotations", &options->annotations,
             "BED file (plain or gzip) of elements that peaks may hit; may be repeated");
  cli->option("chrom-sizes", &options->chrom_sizes,
              "chromosome sizes in the form of UCSC's chrom.sizes, to clip windows and for bigWig "
              "tracks; hg19 and hg38 are built in");
  add_gradient_options(cli, &options->gradient);
  add_model_options(cli, &options->overrides);
  add_shard_options(cli, &options->shard);
}

/// Derives what other code reads from what the options store.
void complete(AttributeOptions* options) {
  options->choice.numpy_legacy = options->rng == "numpy-legacy";
  options->choice.seed = static_cast<std::uint64_t>(options->common.seed);
}

}  // namespace

bool parse_options(int argc, char** argv, AttributeOptions* options) {
  Cli cli(kProgram, kSummary);
  add_options(&cli, options);
  if (!cli.parse(argc, argv)) return false;
  expect_a_use(cli, *options);
  read_shard_options(cli, {"profile", "maps"}, &options->shard);
  complete(options);
  return true;
}

AttributeOptions recorded_attribution_options(const nlohmann::json& values,
                                              const std::string& source) {
  AttributeOptions out;
  Cli cli(kProgram, kSummary);
  add_options(&cli, &out);
  cli.adopt(values, source);
  complete(&out);
  return out;
}

Inputs inputs_of(const AttributeOptions& options) {
  Inputs inputs(options.common);
  inputs.add_file("--pairs", options.choice.file);
  inputs.add_file("--chrom-sizes", options.chrom_sizes);
  for (const std::string& file : options.annotations) inputs.add_file("--annotations", file);
  return inputs;
}

}  // namespace cdt
