#include "apps/attribute/options.h"

#include <algorithm>
#include <initializer_list>

#include "apps/attribute/chance.h"
#include "apps/attribute/gradient_scorers.h"
#include "apps/attribute/methods.h"
#include "apps/attribute/rollout_scorers.h"
#include "apps/common/command_record.h"
#include "apps/common/inference.h"
#include "engine/error.h"

namespace cdt {
namespace {

/// The methods beyond the defaults, comma separated.
std::string method_names() {
  std::string names;
  for (const Method& method : all_methods().subspan(kDefaultMethods)) {
    names += (names.empty() ? "" : ", ") + std::string(method.name);
  }
  return names;
}

/// Options that change nothing in this run are a mistake: whoever gave them expects what they do.
void expect_a_use(const Cli& cli, const AttributeOptions& options) {
  const Methods methods = choose_methods(options.methods);
  const auto given = [&](const char* option) { return cli.was_set(option); };
  const auto runs = [&](std::initializer_list<Method::Make> makers) {
    return std::any_of(methods.begin(), methods.end(), [&](const Method* method) {
      return std::find(makers.begin(), makers.end(), method->make) != makers.end();
    });
  };
  const bool replaces = runs({make_integrated_gradients, make_occlusion}) ||
                        !options.gradient.occlude_regions.empty();
  const bool rolls = runs({make_rollout, make_gmar});
  const struct {
    const char* option;
    bool is_used;
    const char* needs;
  } uses[] = {
      {"rng", options.choice.sample > 0, "--sample"},
      {"baseline", replaces,
       "--occlude-region, or integrated_gradients or occlusion among --methods"},
      {"occlude-bins", runs({make_occlusion}), "occlusion among --methods"},
      {"smooth-samples", runs({make_smoothgrad}), "smoothgrad among --methods"},
      {"smooth-noise", runs({make_smoothgrad}), "smoothgrad among --methods"},
      {"rollout-end", rolls, "attention_rollout or attention_gmar among --methods"},
      {"gmar-norm", runs({make_gmar}), "attention_gmar among --methods"},
      {"path-heads", options.gradient.paths || !options.gradient.path_heads, "--paths"},
      {"maps-per-head", !options.maps.list.empty() || !options.maps.per_head, "--maps"},
      {"map-pairs", !options.maps.list.empty(), "--maps"},
  };
  for (const auto& use : uses) {
    if (!given(use.option) || use.is_used) continue;
    throw InputError("command line", std::string("--") + use.option,
                     std::string("changes nothing here: it needs ") + use.needs);
  }
}

void add_choice_options(Cli* cli, AttributeOptions* options) {
  PairChoice* choice = &options->choice;
  cli->option("pair", &choice->pairs, "ENHANCER:GENE to explain; may be repeated");
  cli->option("pairs", &choice->file, "TSV of pairs, columns enhancer and gene");
  cli->option("split", &choice->split, "explain the pairs of a split");
  cli->choice("split", {"train", "val", "test"});
  cli->option("sample", &choice->sample, "only N pairs of the split, drawn with --seed; 0: all");
  cli->range("sample", 0, 1e15);
  cli->option("rng", &options->rng,
              "generator of the sample; numpy-legacy: np.random.seed(SEED), then choice(.., N, "
              "replace=False), in the order drawn");
  cli->choice("rng", {"philox", "numpy-legacy"});
  cli->flag("all-genes", &choice->all_genes,
            "every gene of the data set for each enhancer of the chosen pairs");
}

void add_map_options(Cli* cli, MapChoice* maps) {
  cli->option("maps", &maps->list,
              "attention maps to write whole, comma separated (dna_self_attn_layers.0, dna_to_rna, "
              "vce.dna, ...) or all");
  cli->flag("maps-per-head", &maps->per_head, "write each head's map, not their mean");
  cli->option("map-pairs", &maps->pairs, "maps of the enhancers of the first N pairs");
  cli->range("map-pairs", 1, 100000);
}

}  // namespace

bool parse_options(int argc, char** argv, AttributeOptions* options, int* exit_code) {
  Cli cli("cdt-attribute",
          "Attention and gradient windows over the DNA bins for chosen pairs: OUT/pairs.tsv, "
          "attention.npy, gradient.npy, peaks.tsv, tracks/ and summary.json.");
  cli.common(&options->common);
  for (const char* name : {"data", "model", "out"}) cli.require(name);
  add_choice_options(&cli, options);
  cli.option("tracks", &options->tracks, "write genome browser tracks for the first N pairs");
  cli.range("tracks", 0, 100000);
  cli.option("methods", &options->methods,
             "comma separated, besides attention and gradient, or all: " + method_names());
  cli.option("null-replicates", &options->null_replicates,
             "draws from each null distribution behind a p-value");
  cli.range("null-replicates", 1, 1e7);
  add_map_options(&cli, &options->maps);
  cli.option("temperature", &options->temperature,
             "also write attention_sharpened.npy at this temperature (the paper's figure: 0.3)");
  cli.range("temperature", 0, 1000);
  cli.option("annotations", &options->annotations,
             "BED file (plain or gzip) of elements that peaks may hit; may be repeated");
  cli.option(
      "chrom-sizes", &options->chrom_sizes,
      "sizes of the assembly's chromosomes, as UCSC's chrom.sizes, where windows end and for "
      "bigWig tracks; those of hg19 and hg38 are known");
  add_gradient_options(&cli, &options->gradient);
  add_model_options(&cli, &options->overrides);
  const bool go = cli.parse(argc, argv, exit_code);
  if (go) expect_a_use(cli, *options);
  if (go) options->command = command_record("cdt-attribute", argc, argv, cli);
  options->choice.numpy_legacy = options->rng == "numpy-legacy";
  options->choice.seed = static_cast<std::uint64_t>(options->common.seed);
  return go;
}

}  // namespace cdt
