// Command lines that stand under figures or in their place (figures.h).
#include <algorithm>
#include <string>

#include "apps/common/program.h"
#include "apps/report/figures.h"

namespace cdt {

std::string with_option(std::string command, const std::string& option, const std::string& value) {
  const std::string flag = " --" + option;
  const std::size_t at = (command + " ").find(flag + " ");
  if (at == std::string::npos) return command + flag + (value.empty() ? "" : " " + value);
  if (value.empty()) return command;
  // An option may stand once: its value is a list with commas.
  const std::size_t begin = at + flag.size() + 1;
  const std::size_t end = std::min(command.find(' ', begin), command.size());
  return command.insert(end, "," + value);
}

std::string attribute_command(const Material& material) {
  if (material.attribution && !material.attribution->command.empty()) {
    return material.attribution->command;
  }
  const std::string out =
      material.attribution ? material.attribution->directory.string() : "attribution";
  return "cdt-attribute --data " + shell_word(material.data.directory.string()) + " --model " +
         shell_word((material.run.directory / "model.safetensors").string()) +
         " --split val --out " + shell_word(out);
}

std::string attribute_command(const Material& material, const std::string& option,
                              const std::string& value) {
  return with_option(attribute_command(material), option, value);
}

std::optional<Omission> nothing_explained(const Material& material, const Html& title,
                                          const std::string& command) {
  if (!material.attribution) return Omission{title, "No attribution was given.", command};
  if (material.attribution->pairs.empty()) {
    return Omission{title, "No explained pair has DNA: all their windows are zeros.", ""};
  }
  return std::nullopt;
}

}  // namespace cdt
