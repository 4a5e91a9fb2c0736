// Values of settings as text, in JSON and on the command line.
#include <type_traits>

#include "apps/common/cli_words.h"
#include "apps/train/settings.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

std::vector<std::string> words_of(const Setting& setting) {
  std::vector<std::string> out;
  for (const char* word : setting.words) {
    if (word != nullptr) out.emplace_back(word);
  }
  return out;
}

}  // namespace

std::string text_of(const Setting& setting, const TrainSettings& settings) {
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = settings.*member;
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return value.empty() ? kNoEntries : joined(value, " ");
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

void read_setting(JsonReader& json, const Setting& setting, TrainSettings* settings) {
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
          if (setting.unless_stored != nullptr && !json.has(name)) return;
          if constexpr (std::is_same_v<T, double>) {
            value = json.number(name);
          } else {
            value = json.integer(name);
          }
          const auto number = static_cast<double>(value);
          if (!(number >= setting.min && number <= setting.max)) {
            json.fail(name,
                      expected_got("out of range",
                                   range_text(setting.min, setting.max, !std::is_same_v<T, double>),
                                   text_of(setting, *settings)));
          }
        }
      },
      setting.member);
}

void add_settings(Cli& cli, TrainSettings* settings) {
  for (const Setting& setting : own_settings()) {
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

bool lacks_generator(const TrainSettings& settings) {
  return settings.order == kGlobalOrder && !torch_seed(settings.init);
}

}  // namespace cdt
