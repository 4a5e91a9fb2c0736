// The table of training settings: name, help, bounds and member of each. Parsing, config.json and
// the comparison on --resume all read it, so they cannot disagree.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "apps/common/cli.h"
#include "apps/train/options.h"
#include "io/format/json.h"
#include "model/config.h"

namespace cdt {

using SettingMember =
    std::variant<std::int64_t TrainSettings::*, double TrainSettings::*,
                 std::string TrainSettings::*, std::vector<std::string> TrainSettings::*>;

/// One member of TrainSettings.
struct Setting {
  const char* name;
  const char* help;
  SettingMember member;
  double min = 0.0;
  double max = 1e6;
  std::int64_t CdtConfig::*size = nullptr;  // the model size that it sets
  std::array<const char*, 4> words{};       // the values that a text may have
  const char* unless_stored = nullptr;      // value in runs older than the setting; of a number,
                                            // which is then also its default
  bool stored_if_other = false;             // left out of the JSON if it has that value
};

/// Text of a list without entries.
inline constexpr const char* kNoEntries = "none";

/// Settings with an option of their own.
std::span<const Setting> own_settings();
/// Settings that are added with the common options: seed and precision.
std::span<const Setting> common_settings();

template <class Visit>
void for_each_setting(const Visit& visit) {
  for (const Setting& setting : own_settings()) visit(setting);
  for (const Setting& setting : common_settings()) visit(setting);
}

/// The value as text.
std::string text_of(const Setting& setting, const TrainSettings& settings);

/// Reads a stored value, with the checks of the command line.
void read_setting(JsonReader& json, const Setting& setting, TrainSettings* settings);

/// Adds an option for each of own_settings().
void add_settings(Cli& cli, TrainSettings* settings);

/// Whether --order torch lacks the draws that it continues, and how to say so.
bool lacks_generator(const TrainSettings& settings);
inline constexpr const char* kNeedsGenerator =
    "torch goes on with the generator of --init torch:SEED; give that too, or a seed: torch:SEED";

}  // namespace cdt
