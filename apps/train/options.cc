#include "apps/train/options.h"

#include <array>
#include <limits>
#include <type_traits>
#include <variant>

#include "engine/error.h"
#include "io/json.h"
#include "io/text.h"

namespace cdt {
namespace {

constexpr const char* kCommandLine = "command line";
constexpr double kMost = 1e6;

using Member = std::variant<std::int64_t TrainSettings::*, double TrainSettings::*,
                            std::string TrainSettings::*>;

struct Setting {
  const char* name;
  const char* help;
  Member member;
  double min = 0.0;
  double max = kMost;
  std::int64_t CdtConfig::*size = nullptr;  // the size of the model it sets
};

using S = TrainSettings;
constexpr std::array<Setting, 17> kSettings = {{
    {"epochs", "most epochs to train", &S::epochs, 1},
    {"batch-size", "pairs per step", &S::batch_size, 1, 4096},
    {"lr", "learning rate at the start", &S::lr, 0.0, 1e3},
    {"weight-decay", "decoupled weight decay", &S::weight_decay, 0.0, 1e3},
    {"dropout", "dropout probability, everywhere", &S::dropout, 0.0, 0.999},
    {"huber-delta", "where the loss turns from quadratic to linear", &S::huber_delta, 1e-12, 1e6},
    {"grad-clip", "largest global norm of the gradient; 0: no clipping", &S::grad_clip, 0.0, 1e9},
    {"patience", "epochs without a gain of 0.001 before stopping", &S::patience, 1},
    {"variant", "form of the model", &S::variant},
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
}};
// These come with the common options.
constexpr std::array<Setting, 2> kCommonSettings = {{
    {"seed", "", &S::seed, 0, std::numeric_limits<double>::infinity()},
    {"precision", "", &S::precision},
}};

template <class Visit>
void for_each_setting(const Visit& visit) {
  for (const Setting& setting : kSettings) visit(setting);
  for (const Setting& setting : kCommonSettings) visit(setting);
}

std::string text_of(const Setting& setting, const TrainSettings& settings, bool json) {
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = settings.*member;
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) {
          return json ? nlohmann::json(value).dump() : value;
        } else if constexpr (std::is_same_v<T, double>) {
          return format_number(value);
        } else {
          return std::to_string(value);
        }
      },
      setting.member);
}

void read_value(JsonReader& json, const Setting& setting, TrainSettings* settings) {
  std::visit(
      [&](auto member) {
        auto& value = settings->*member;
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) {
          value = json.string(setting.name);
        } else if constexpr (std::is_same_v<T, double>) {
          value = json.number(setting.name);
        } else {
          value = json.integer(setting.name);
        }
      },
      setting.member);
}

void add_settings(Cli& cli, TrainSettings* settings) {
  for (const Setting& setting : kSettings) {
    std::visit(
        [&](auto member) {
          cli.option(setting.name, &(settings->*member), setting.help);
          if constexpr (!std::is_same_v<decltype(member), std::string S::*>) {
            cli.range(setting.name, setting.min, setting.max);
          }
        },
        setting.member);
  }
  cli.choice("variant", {"released", "paper"});
}

void check(const TrainOptions& options) {
  const CommonOptions& common = options.common;
  if (options.dry_run && common.profile) {
    throw InputError(kCommandLine, "--profile", "a dry run computes nothing to measure");
  }
  if (options.dry_run) return;
  if (common.out.empty()) throw InputError(kCommandLine, "--out", "is required (a run directory)");
  if (common.data.empty() && !options.resume) {
    throw InputError(kCommandLine, "--data", "is required (a data set directory)");
  }
  if (options.resume && common.overwrite) {
    throw InputError(kCommandLine, "--overwrite",
                     "a resumed run continues what is there; leave one of the two out");
  }
  if (options.resume && !common.model.empty()) {
    throw InputError(kCommandLine, "--model",
                     "a resumed run continues its own weights; leave --model out");
  }
}

}  // namespace

bool parse_train_options(int argc, char** argv, TrainOptions* options, int* exit_code) {
  Cli cli("cdt-train", "Trains the Central Dogma Transformer on a data set directory.");
  cli.common(&options->common);
  add_settings(cli, &options->settings);
  cli.flag("resume", &options->resume, "continue the run in --out, bit for bit");
  cli.flag("dry-run", &options->dry_run, "print the model by module and the memory plan, then end");
  if (!cli.parse(argc, argv, exit_code)) return false;
  for_each_setting([&](const Setting& setting) {
    if (cli.was_set(setting.name)) options->given.insert(setting.name);
  });
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
  for_each_setting([&](const Setting& setting) {
    const std::string given = text_of(setting, options->settings, false);
    const std::string held = text_of(setting, stored, false);
    if (options->given.count(setting.name) == 0 || given == held) return;
    throw InputError(kCommandLine, "--" + std::string(setting.name),
                     expected_got("differs from " + model_file.string(), held, given));
  });
  options->settings = stored;
}

std::string settings_json(const TrainSettings& settings) {
  std::string out;
  for_each_setting([&](const Setting& setting) {
    out += (out.empty() ? "{\"" : ",\"") + std::string(setting.name) +
           "\":" + text_of(setting, settings, true);
  });
  return out + "}";
}

void adopt_stored_settings(const std::string& json, const std::filesystem::path& source,
                           TrainOptions* options) {
  const nlohmann::json parsed = parse_json(json, source.string());
  JsonReader reader(parsed, source.string(), "settings.");
  TrainSettings stored;
  for_each_setting([&](const Setting& setting) { read_value(reader, setting, &stored); });
  reader.no_other_keys();
  for_each_setting([&](const Setting& setting) {
    if (options->given.count(setting.name) == 0) return;
    const std::string given = text_of(setting, options->settings, false);
    const std::string held = text_of(setting, stored, false);
    if (given == held || setting.name == std::string("epochs")) return;
    throw InputError(kCommandLine, "--" + std::string(setting.name),
                     expected_got("differs from the run being resumed", held, given));
  });
  if (options->given.count("epochs") > 0) stored.epochs = options->settings.epochs;
  options->settings = stored;
  options->common.seed = stored.seed;
  options->common.precision = stored.precision;
}

}  // namespace cdt
