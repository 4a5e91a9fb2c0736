#include "apps/train/options.h"

#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "apps/common/cli_words.h"
#include "apps/common/session.h"
#include "apps/train/settings.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kCommandLine = "command line";
constexpr const char* kNeedsModel = "changes nothing here: it needs --model";

[[noreturn]] void refuse(const char* option, const std::string& what) {
  throw InputError(kCommandLine, option, what);
}

void check_warm_start(const TrainOptions& options) {
  if (options.init_from.empty()) {
    const char* needs = "changes nothing here: it needs --init-from";
    if (!options.init_from_genes.empty()) refuse("--init-from-genes", needs);
    if (!options.init_from_except.empty()) refuse("--init-from-except", needs);
    return;
  }
  if (options.resume) {
    refuse("--init-from", "a resumed run continues its own weights; leave --init-from out");
  }
  if (!options.common.model.empty()) {
    refuse("--init-from",
           "begins a new model, and --model goes on with a stored one; leave one of "
           "the two out");
  }
  if (options.common.data.empty()) refuse("--init-from", "its rows go by gene; it needs --data");
}

/// Checks the options beside --verify, whose run determines nearly everything.
void check_verify(const TrainOptions& options) {
  const char* const own = "the run has its own; leave one of the two out";
  for (const std::string& name : options.given) refuse(("--" + name).c_str(), own);
  const std::pair<const char*, bool> others[] = {
      {"--model", !options.common.model.empty()},
      {"--state", !options.state.empty()},
      {"--init-from", !options.init_from.empty()},
      {"--init-from-genes", !options.init_from_genes.empty()},
      {"--init-from-except", !options.init_from_except.empty()},
      {"--match-genes", options.overrides.match_genes},
      {"--other-inputs", options.overrides.other_inputs}};
  for (const auto& [name, given] : others) {
    if (given) refuse(name, own);
  }
  const std::pair<const char*, bool> modes[] = {{"--resume", options.resume},
                                                {"--dry-run", options.dry_run},
                                                {"--trace", options.trace},
                                                {"--overwrite", options.common.overwrite},
                                                {"--profile", options.common.profile}};
  for (const auto& [name, given] : modes) {
    if (given) refuse(name, "does not go with --verify; leave one of the two out");
  }
}

void check(const TrainOptions& options) {
  const CommonOptions& common = options.common;
  const TrainSettings& settings = options.settings;
  const bool other_model = !common.model.empty();
  if (options.dry_run && common.profile) {
    refuse("--profile", "a dry run computes nothing to measure");
  }
  if (options.dry_run && options.save_every_given) {
    refuse("--save-every", "a dry run saves nothing");
  }
  if (options.dry_run && options.check_numerics) {
    refuse("--check-numerics", "a dry run computes no numbers");
  }
  if (options.dry_run && !common.cache.empty()) refuse("--cache", "a dry run reads no DNA");
  if (options.trace && !options.dry_run) {
    refuse("--trace", "follows a step that is not computed: it needs --dry-run");
  }
  if (!options.trace && options.trace_format != TrainOptions{}.trace_format) {
    refuse("--trace-format", "changes nothing here: it needs --trace");
  }
  if (options.overrides.match_genes && !other_model && !options.resume) {
    refuse("--match-genes", kNeedsModel);
  }
  if (options.overrides.other_inputs && !other_model) refuse("--other-inputs", kNeedsModel);
  if (!options.state.empty() && !other_model) refuse("--state", kNeedsModel);
  check_warm_start(options);
  if (other_model && settings.init_head == "mean") {
    refuse("--init-head", "the last layer is that of --model; leave one of the two out");
  }
  if (other_model && settings.init != "seed") {
    refuse("--init", "the weights are those of --model; leave one of the two out");
  }
  if (!options.resume && lacks_generator(settings)) refuse("--order", kNeedsGenerator);
  if (options.given.count("positive-below") > 0 && settings.monitor != kMonitorAuprc &&
      !options.resume) {
    refuse("--positive-below", "changes nothing here: it needs --monitor auprc");
  }
  if (!other_model && !options.resume) check_combined(options);  // nothing is adopted
  if (options.dry_run && options.resume) {
    refuse("--resume", "a dry run resumes nothing; leave one of the two out");
  }
  if (options.dry_run) return;
  if (common.out.empty()) refuse("--out", "is required (a run directory)");
  if (common.data.empty() && !options.resume) {
    refuse("--data", "is required (a data set directory)");
  }
  if (options.resume && common.overwrite) {
    refuse("--overwrite", "a resumed run continues what is there; leave one of the two out");
  }
  if (options.resume && other_model) {
    refuse("--model", "a resumed run continues its own weights; leave --model out");
  }
}

}  // namespace

bool parse_train_options(int argc, char** argv, TrainOptions* options) {
  Cli cli(
      "cdt-train",
      "Trains the Central Dogma Transformer on a data set directory. --out is required except with "
      "--dry-run or --verify, and --data except with --dry-run, --resume or --verify. Started by "
      "mpirun or srun, the processes share every batch, one device each (docs/scale.md).");
  cli.common(&options->common);
  add_settings(cli, &options->settings);
  add_fit_options(&cli, &options->overrides);
  cli.option("state", &options->state,
             "with --model: continue the optimiser in this file, a training checkpoint of PyTorch "
             "or a state.safetensors");
  cli.option("init-from", &options->init_from,
             "start a new model from the file of an older one: take its tensors that fit by name "
             "and shape, the last layer gene by gene");
  cli.option("init-from-genes", &options->init_from_genes,
             "genes of the last layer of --init-from, one per line, if it does not record them");
  cli.option("init-from-except", &options->init_from_except,
             "module or parameter not to take from --init-from, named as for --freeze");
  cli.option("verify", &options->verify,
             "run this run directory again and say whether weights and metrics are equal bit for "
             "bit; exit status 0 if they are, 1 if not, 2 if it cannot be run again");
  cli.flag("resume", &options->resume, "continue the run in --out, bit for bit");
  cli.number(
      "save-every", &options->save_every, 0.0, 1e6,
      "minutes of training after which --out is saved within an epoch, so that --resume goes "
      "on from there; 0: only after epochs. The default is longer where a save takes over 6 "
      "seconds, 1 % of the time");
  cli.flag(
      "check-numerics", &options->check_numerics,
      "look at the result of every op, and name the first that yields NaN or infinity, with step "
      "and pairs; several times slower");
  cli.flag("dry-run", &options->dry_run,
           "print the model by module and the memory plan, then exit");
  cli.flag("trace", &options->trace,
           "with --dry-run: print a training step op by op instead: modules, shapes, parameters, "
           "FLOP and bytes, forward and backward");
  cli.choice("trace-format", &options->trace_format, {"text", "json", "svg"},
             "form of --trace; svg is a figure of the architecture");
  if (!cli.parse(argc, argv)) return false;
  for_each_setting([&](const Setting& setting) {
    if (cli.was_set(setting.name)) options->given.insert(setting.name);
  });
  const auto if_given = [&](const char* name, std::int64_t value) {
    return cli.was_set(name) ? value : 0;
  };
  options->save_every_given = cli.was_set("save-every");
  options->overrides.heads = if_given("heads", options->settings.heads);
  options->overrides.pool_heads = if_given("pool-heads", options->settings.pool_heads);
  options->settings.seed = options->common.seed;
  options->settings.precision = options->common.precision;
  options->verify.empty() ? check(*options) : check_verify(*options);
  return true;
}

void check_combined(const TrainOptions& options) {
  const TrainSettings& settings = options.settings;
  if (options.given.count("steer-by") > 0 && settings.steer_by != settings.steering_pairs()) {
    refuse("--steer-by", "all pairs steer with --readout gene, whose genes share the head");
  }
  if (options.given.count("final-lr-share") > 0 && !settings.decays()) {
    refuse("--final-lr-share", "changes nothing here: it needs --schedule cosine or linear");
  }
  if (options.given.count("clip-share") > 0 && settings.label_transform != kClipLabels) {
    refuse("--clip-share", "changes nothing here: it needs --label-transform clip");
  }
  if (settings.lr * settings.weight_decay >= 1.0) {
    refuse("--weight-decay",
           expected_got("times --lr it takes the weights to zero or past it in one step",
                        "less than " + format_number(1.0 / settings.lr),
                        format_number(settings.weight_decay)));
  }
}

CdtConfig model_config(const TrainSettings& settings, const Dataset* data) {
  CdtConfig config;
  config.variant = parse_variant(settings.variant, kCommandLine);
  for (const Setting& setting : own_settings()) {
    if (setting.size == nullptr) continue;
    config.*setting.size = settings.*std::get<std::int64_t TrainSettings::*>(setting.member);
  }
  config.dropout = static_cast<float>(settings.dropout);
  config.readout = parse_readout(settings.readout, kCommandLine);
  config.bin_position = settings.bin_position == kByDistance;
  config.gene_position = settings.gene_position == kByDistance;
  config.gene_window = settings.gene_window == kDnaGene;
  if (config.gene_window && config.readout != Readout::kGene) {
    refuse("--gene-window", "is read by the gene readout: it needs --readout gene");
  }
  if (config.bin_position) config.bins = data != nullptr ? data->bins : kReleasedBins;
  if (data != nullptr) {
    config.dna_dim = data->dna_dim;
    config.rna_dim = data->rna_dim;
    config.protein_dim = data->protein_dim;
    config.genes = data->genes_count();
  }
  const std::string problem = config_problem(config);
  if (!problem.empty()) throw InputError(kCommandLine, "model sizes", problem);
  return config;
}

}  // namespace cdt
