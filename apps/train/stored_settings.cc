// Settings that a run or a model has stored, and how they go with those of the command line.
#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>

#include "apps/common/cli_words.h"
#include "apps/train/options.h"
#include "apps/train/settings.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kCommandLine = "command line";

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

/// Adopts kRunSettings of the run that stored the optimiser, as adopt_optimiser_settings() does.
void adopt_run_settings(const OptimiserNumbers& numbers, TrainOptions* options) {
  const std::string file = options->state.string();
  const nlohmann::json parsed =
      parse_json(numbers.settings.empty() ? "{}" : numbers.settings, file);
  JsonReader reader(parsed, file, "settings.");
  TrainSettings stored;
  for_each_setting([&](const Setting& setting) {
    if (!is_choice(setting.name, {kRunSettings.begin(), kRunSettings.end()})) return;
    read_setting(reader, setting, &stored);
    const std::string held = text_of(setting, stored), own = text_of(setting, options->settings);
    if (held == own) return;
    const bool given = options->given.count(setting.name) > 0;
    if (!options->common.quiet) {
      note(std::string(setting.name) + " is " +
           (given ? own + " as given; " + file + " has " + held : held + ", as in " + file));
    }
    if (given) return;
    std::visit([&](auto member) { options->settings.*member = stored.*member; }, setting.member);
  });
}

}  // namespace

void adopt_model_sizes(const CdtConfig& config, const std::filesystem::path& model_file,
                       TrainOptions* options) {
  TrainSettings stored = options->settings;
  stored.variant = variant_name(config.variant);
  stored.readout = readout_name(config.readout);
  stored.bin_position = config.bin_position ? kByDistance : "none";
  stored.gene_position = config.gene_position ? kByDistance : "none";
  stored.gene_window = config.gene_window ? kDnaGene : "none";
  for (const Setting& setting : own_settings()) {
    if (setting.size == nullptr) continue;
    stored.*std::get<std::int64_t TrainSettings::*>(setting.member) = config.*setting.size;
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
              : ", as in the training of " + file + "; --dropout P for another"));
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
  adopt_run_settings(numbers, options);
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
  for_each_setting([&](const Setting& setting) { read_setting(reader, setting, &stored); });
  reader.no_other_keys();
  if (lacks_generator(stored)) reader.fail("order", kNeedsGenerator);
  // A decay that spans other epochs would be another run's.
  refuse_other(*options, stored, "differs from the run being resumed",
               stored.decays() ? "" : "epochs");
  if (options->given.count("epochs") > 0) stored.epochs = options->settings.epochs;
  options->settings = stored;
  options->common.seed = stored.seed;
  options->common.precision = stored.precision;
}

}  // namespace cdt
