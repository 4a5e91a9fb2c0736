#include "engine/device_facts.h"

#include <dnnl.h>
#include <dnnl_debug.h>

#include <fstream>
#include <string_view>

#include "engine/cpu/parallel.h"

namespace cdt {
namespace {

/// The value of the first "model name : ..." in /proc/cpuinfo.
std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

/// "avx512_core_bf16"
std::string instruction_set() {
  constexpr std::string_view kPrefix = "cpu_isa_";
  std::string_view name = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa());
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return std::string(name);
}

}  // namespace

DeviceFacts cpu_facts(int threads) {
  const dnnl_version_t* const version = dnnl_version();
  DeviceFacts out;
  out.kind = "cpu";
  out.cpu = cpu_model();
  out.instructions = instruction_set();
  out.threads = threads > 0 ? threads : default_threads();
  out.libraries.emplace_back("oneDNN", std::to_string(version->major) + "." +
                                           std::to_string(version->minor) + "." +
                                           std::to_string(version->patch));
  return out;
}

}  // namespace cdt
