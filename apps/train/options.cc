#include "apps/train/options.h"

#include <array>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "apps/common/cli_words.h"
#include "apps/common/precision.h"
#include "apps/common/session.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kCommandLine = "command line";
constexpr const char* kNeedsModel = "changes nothing here: it needs --model";
constexpr const char* kNeedsGenerator =
    "torch goes on with the generator of --init torch:SEED; give that too, or a seed: torch:SEED";
constexpr const char* kNone = "none";  // how an empty list is written
constexpr double kMost = 1e6;

using Member =
    std::variant<std::int64_t TrainSettings::*, double TrainSettings::*,
                 std::string TrainSettings::*, std::vector<std::string> TrainSettings::*>;

struct Setting {
  const char* name;
  const char* help;
  Member member;
  double min = 0.0;
  double max = kMost;
  std::int64_t CdtConfig::*size = nullptr;  // the model size that it sets
  std::array<const char*, 4> words{};       // the values that a text may have
  const char* unless_stored = nullptr;      // value in runs older than the setting
  bool stored_if_other = false;             // left out of the JSON if it has that value
};

using S = TrainSettings;
constexpr std::array<Setting, 22> kSettings = {{
    {"epochs", "most epochs to train", &S::epochs, 1},
    {"batch-size", "pairs per step", &S::batch_size, 1, 4096},
    {"lr", "learning rate at the start", &S::lr, 1e-12, 1e3},
    {"weight-decay", "decoupled weight decay", &S::weight_decay, 0.0, 1e3},
    {"dropout", "dropout probability, everywhere", &S::dropout, 0.0, 0.999},
    {"huber-delta", "where the loss turns from quadratic to linear", &S::huber_delta, 1e-12, 1e6},
    {"grad-clip", "largest global norm of the gradient; 0: no clipping", &S::grad_clip, 0.0, 1e9},
    {"patience", "epochs without a gain of 0.001 before stopping", &S::patience, 1},
    {"steer-by",
     "val pairs that steer by their r: those whose gene has train pairs, or all",
     &S::steer_by,
     0,
     0,
     nullptr,
     {"seen", "all"},
     "all"},
    {"init-head",
     "last layer at the start: drawn as in the release, or each gene's shrunken mean",
     &S::init_head,
     0,
     0,
     nullptr,
     {"released", "mean"},
     "released"},
    {"init",
     "initial weights: drawn by --seed, or those torch.manual_seed(SEED) gives the reference",
     &S::init,
     0,
     0,
     nullptr,
     {"seed", kTorchSeed},
     "seed",
     true},
    {"order",
     "of the pairs of an epoch: by --seed; as a DataLoader with a generator of that seed; torch: "
     "without one, going on after --init",
     &S::order,
     0,
     0,
     nullptr,
     {"seed", kTorchSeed, kGlobalOrder},
     "seed",
     true},
    {"variant", "form of the model", &S::variant, 0, 0, nullptr, {"released", "paper"}},
    {"hidden", "hidden size D", &S::hidden, 1, kMost, &CdtConfig::hidden},
    {"heads", "attention heads", &S::heads, 1, kMost, &CdtConfig::heads},
    {"pool-heads", "heads of the pooling attention", &S::pool_heads, 1, kMost,
     &CdtConfig::pool_heads},
    {"feed-forward", "feed-forward width", &S::feed_forward, 1, kMost, &CdtConfig::feed_forward},
    {"fusion", "width of the fusion layer", &S::fusion, 1, kMost, &CdtConfig::fusion},
    {"dna-layers", "DNA self-attention blocks", &S::dna_layers, 0, 1000, &CdtConfig::dna_layers},
    {"rna-layers", "RNA self-attention blocks", &S::rna_layers, 0, 1000, &CdtConfig::rna_layers},
    {"protein-layers", "protein self-attention blocks", &S::protein_layers, 0, 1000,
     &CdtConfig::protein_layers},
    {"freeze",
     "module or parameter that is not trained, * and ? for any characters; dropout in it stays on",
     &S::freeze,
     0,
     0,
     nullptr,
     {},
     kNone,
     true},
}};
// Settings that are added with the common options.
constexpr std::array<Setting, 2> kCommonSettings = {{
    {"seed", "", &S::seed, 0, std::numeric_limits<double>::infinity()},
    {"precision", "", &S::precision, 0, 0, nullptr, kPrecisionWords},
}};

template <class Visit>
void for_each_setting(const Visit& visit) {
  for (const Setting& setting : kSettings) visit(setting);
  for (const Setting& setting : kCommonSettings) visit(setting);
}

std::string text_of(const Setting& setting, const TrainSettings& settings) {
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = settings.*member;
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return value.empty() ? kNone : joined(value, " ");
        } else if constexpr (std::is_same_v<T, std::string>) {
          return value;
        } else if constexpr (std::is_same_v<T, double>) {
          return format_number(value);
        } else {
          return std::to_string(value);
        }
      },
      setting.member);
}

std::vector<std::string> words_of(const Setting& setting) {
  std::vector<std::string> out;
  for (const char* word : setting.words) {
    if (word != nullptr) out.emplace_back(word);
  }
  return out;
}

/// Reads a stored value, with the checks of the command line.
void read_value(JsonReader& json, const Setting& setting, TrainSettings* settings) {
  const std::string name = setting.name;
  std::visit(
      [&](auto member) {
        auto& value = settings->*member;
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          value = json.has(name) ? json.strings(name) : T{};
        } else if constexpr (std::is_same_v<T, std::string>) {
          const bool older = setting.unless_stored != nullptr && !json.has(name);
          value = older ? setting.unless_stored : json.string(name);
          if (!is_choice(value, words_of(setting))) {
            json.fail(name, expected_got("out of range", "one of the words of --" + name, value));
          }
        } else {
          if constexpr (std::is_same_v<T, double>) {
            value = json.number(name);
          } else {
            value = json.integer(name);
          }
          const auto number = static_cast<double>(value);
          if (!(number >= setting.min && number <= setting.max)) {
            json.fail(name,
                      expected_got("out of range",
                                   format_number(setting.min) + " to " + format_number(setting.max),
                                   text_of(setting, *settings)));
          }
        }
      },
      setting.member);
}

void add_settings(Cli& cli, TrainSettings* settings) {
  for (const Setting& setting : kSettings) {
    std::visit(
        [&](auto member) {
          auto* target = &(settings->*member);
          using T = std::decay_t<decltype(*target)>;
          if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            cli.option(setting.name, target, setting.help);
          } else if constexpr (std::is_same_v<T, std::string>) {
            cli.choice(setting.name, target, words_of(setting), setting.help);
          } else {
            cli.number(setting.name, target, setting.min, setting.max, setting.help);
          }
        },
        setting.member);
  }
}

/// Whether --order torch lacks the draws that it continues.
bool lacks_generator(const TrainSettings& settings) {
  return settings.order == kGlobalOrder && !torch_seed(settings.init);
}

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

void check(const TrainOptions& options) {
  const CommonOptions& common = options.common;
  const TrainSettings& settings = options.settings;
  const bool other_model = !common.model.empty();
  if (options.dry_run && common.profile) {
    refuse("--profile", "a dry run computes nothing to measure");
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
  if (settings.lr * settings.weight_decay >= 1.0) {
    refuse("--weight-decay",
           expected_got("times --lr it takes the weights to zero or past it in one step",
                        "less than " + format_number(1.0 / settings.lr),
                        format_number(settings.weight_decay)));
  }
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

/// Throws InputError if a given option, other than `free`, differs from the stored setting.
void refuse_other(const TrainOptions& options, const TrainSettings& stored, const std::string& what,
                  std::string_view free = "") {
  for_each_setting([&](const Setting& setting) {
    const std::string given = text_of(setting, options.settings), held = text_of(setting, stored);
    if (options.given.count(setting.name) == 0 || setting.name == free || given == held) return;
    throw InputError(kCommandLine, "--" + std::string(setting.name),
                     expected_got(what, held, given));
  });
}

}  // namespace

bool parse_train_options(int argc, char** argv, TrainOptions* options) {
  Cli cli("cdt-train", "Trains the Central Dogma Transformer on a data set directory.");
  cli.common(&options->common);
  add_settings(cli, &options->settings);
  add_fit_options(&cli, &options->overrides);
  cli.option("state", &options->state,
             "go on with the optimiser of this file, beside --model: a training checkpoint of "
             "PyTorch, or a state.safetensors");
  cli.option("init-from", &options->init_from,
             "file of an older model: a new one begins with those of its tensors that fit by name "
             "and shape, the last layer gene by gene");
  cli.option("init-from-genes", &options->init_from_genes,
             "genes of the last layer of --init-from, one a line, where it does not name them");
  cli.option("init-from-except", &options->init_from_except,
             "module or parameter that begins anew although --init-from has it, as --freeze names "
             "them");
  cli.flag("resume", &options->resume, "continue the run in --out, bit for bit");
  cli.flag("dry-run", &options->dry_run, "print the model by module and the memory plan, then end");
  if (!cli.parse(argc, argv)) return false;
  for_each_setting([&](const Setting& setting) {
    if (cli.was_set(setting.name)) options->given.insert(setting.name);
  });
  const auto if_given = [&](const char* name, std::int64_t value) {
    return cli.was_set(name) ? value : 0;
  };
  options->overrides.heads = if_given("heads", options->settings.heads);
  options->overrides.pool_heads = if_given("pool-heads", options->settings.pool_heads);
  options->settings.seed = options->common.seed;
  options->settings.precision = options->common.precision;
  check(*options);
  return true;
}

CdtConfig model_config(const TrainSettings& settings, const Dataset* data) {
  CdtConfig config;
  config.variant = parse_variant(settings.variant, kCommandLine);
  for (const Setting& setting : kSettings) {
    if (setting.size == nullptr) continue;
    config.*setting.size = settings.*std::get<std::int64_t S::*>(setting.member);
  }
  config.dropout = static_cast<float>(settings.dropout);
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

void adopt_model_sizes(const CdtConfig& config, const std::filesystem::path& model_file,
                       TrainOptions* options) {
  TrainSettings stored = options->settings;
  stored.variant = variant_name(config.variant);
  for (const Setting& setting : kSettings) {
    if (setting.size == nullptr) continue;
    stored.*std::get<std::int64_t S::*>(setting.member) = config.*setting.size;
  }
  refuse_other(*options, stored, "differs from " + model_file.string());
  options->settings = stored;
}

void adopt_model_dropout(const CdtConfig& config, const std::filesystem::path& model_file,
                         TrainOptions* options) {
  const double recorded = as_written(config.dropout);
  double& dropout = options->settings.dropout;
  if (recorded == dropout) return;
  const bool given = options->given.count("dropout") > 0;
  const std::string file = model_file.string();
  if (!given) dropout = recorded;
  if (options->common.quiet) return;
  note("dropout is " + format_number(dropout) +
       (given ? " as given; " + file + " was trained with " + format_number(recorded)
              : ", which " + file + " was trained with; --dropout P for another"));
}

void adopt_optimiser_settings(const OptimiserNumbers& numbers, TrainOptions* options) {
  const auto adopt = [&](const char* name, double held, double* setting) {
    if (held == *setting) return;
    const bool given = options->given.count(name) > 0;
    if (!options->common.quiet) {
      note(std::string(name) + " is " + format_number(given ? *setting : held) +
           (given ? " as given; " + options->state.string() + " has " + format_number(held)
                  : ", as in " + options->state.string()));
    }
    if (!given) *setting = held;
  };
  adopt("lr", numbers.schedule.lr, &options->settings.lr);
  adopt("weight-decay", numbers.weight_decay, &options->settings.weight_decay);
}

std::string settings_json(const TrainSettings& settings) {
  nlohmann::ordered_json out;
  for_each_setting([&](const Setting& setting) {
    if (setting.stored_if_other && text_of(setting, settings) == setting.unless_stored) return;
    std::visit([&](auto member) { out[setting.name] = settings.*member; }, setting.member);
  });
  return json_line(out);
}

void adopt_stored_settings(const std::string& json, const std::filesystem::path& source,
                           TrainOptions* options) {
  const nlohmann::json parsed = parse_json(json, source.string());
  JsonReader reader(parsed, source.string(), "settings.");
  TrainSettings stored;
  for_each_setting([&](const Setting& setting) { read_value(reader, setting, &stored); });
  reader.no_other_keys();
  if (lacks_generator(stored)) reader.fail("order", kNeedsGenerator);
  refuse_other(*options, stored, "differs from the run being resumed", "epochs");
  if (options->given.count("epochs") > 0) stored.epochs = options->settings.epochs;
  options->settings = stored;
  options->common.seed = stored.seed;
  options->common.precision = stored.precision;
}

}  // namespace cdt
