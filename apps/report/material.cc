#include "apps/report/material.h"

#include <algorithm>
#include <utility>

#include "apps/common/program.h"
#include "io/genome/assembly.h"
#include "model/stats/profile.h"

namespace cdt {
namespace {

std::string with_option(std::string command, const AttributeOption& option) {
  const std::string flag = " --" + option.name;
  const std::size_t at = (command + " ").find(flag + " ");
  if (at == std::string::npos) {
    return command + flag + (option.value.empty() ? "" : " " + option.value);
  }
  if (option.value.empty()) return command;
  const std::size_t end = std::min(command.find(' ', at + flag.size() + 1), command.size());
  return command.insert(end, "," + option.value);
}

}  // namespace

double offset_kb(const Dataset& data, std::int64_t bin) {
  return static_cast<double>(offset_bp(bin, data.bins, data.bin_bp)) / 1e3;
}

std::int64_t chromosome_end(const Material& material, const std::string& chrom) {
  if (!material.attribution) return ChromosomeSizes(material.data.assembly).size(chrom);
  const auto* told = find_name(material.attribution->summary.chromosome_sizes, chrom);
  return told == nullptr ? 0 : *told;
}

std::string attribute_command(const Material& material,
                              const std::vector<AttributeOption>& further) {
  std::string out;
  if (material.attribution && !material.attribution->command.empty()) {
    out = material.attribution->command;
  } else {
    const std::string folder =
        material.attribution ? material.attribution->directory.string() : "attribution";
    out = "cdt-attribute --data " + shell_word(material.data.directory.string()) + " --model " +
          shell_word((material.run.directory / "model.safetensors").string()) +
          " --split val --out " + shell_word(folder);
  }
  for (const AttributeOption& option : further) out = with_option(std::move(out), option);
  return out;
}

}  // namespace cdt
