#include "apps/common/provenance.h"

#include <zlib.h>

#include <nlohmann/json.hpp>

#include "apps/common/program.h"
#include "engine/error.h"
#include "io/format/json.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json code_json() {
  const Build b = build();
  return {{"version", b.version},
          {"git", text_or_null(b.git)},
          {"changed", b.git.empty() ? Json() : Json(b.changed)}};
}

Json compiler_json() {
  const Build b = build();
  return {{"name", b.compiler},
          {"flags", text_or_null(b.flags)},
          {"built_for", text_or_null(b.built_for)}};
}

Json libraries_json(const DeviceFacts& device, const Versions& further) {
  Json out = Json::object();
  for (const auto& [name, version] : device.libraries) out[name] = version;
  out["zlib"] = zlibVersion();
  for (const auto& [name, version] : further) out[name] = version;
  return out;
}

Json device_json(const DeviceFacts& device) {
  return {{"kind", device.kind},
          {"cpu", text_or_null(printable(device.cpu))},
          {"instructions", text_or_null(device.instructions)},
          {"threads", device.threads},
          {"gpu", text_or_null(printable(device.gpu))},
          {"compute_capability", text_or_null(device.compute_capability)},
          {"driver", text_or_null(device.driver)}};
}

Json fingerprint_json(const Fingerprint& fingerprint) {
  Json out = {{"model", text_or_null(fingerprint.model)}, {"data", text_or_null(fingerprint.data)}};
  if (fingerprint.extensions) out["extensions"] = *fingerprint.extensions;
  return out;
}

}  // namespace

Json provenance_of(const CommonOptions& options, const Fingerprint& fingerprint,
                   const Backend* backend, const Versions& further) {
  const Invocation& invocation = options.invocation;
  const DeviceFacts device =
      backend != nullptr ? backend->facts() : cpu_facts(static_cast<int>(options.threads));
  return {
      {"format", "cdt-provenance"},
      {"version", 1},
      {"program", invocation.program},
      {"code", code_json()},
      {"command_line", invocation.command_line},
      {"options", invocation.options.empty() ? Json::object() : Json::parse(invocation.options)},
      {"fingerprint", fingerprint_json(fingerprint)},
      {"compiler", compiler_json()},
      {"libraries", libraries_json(device, further)},
      {"device", device_json(device)}};
}

std::string provenance_text(const CommonOptions& options, const Fingerprint& fingerprint,
                            const Backend* backend, const Versions& further) {
  return json_text(provenance_of(options, fingerprint, backend, further));
}

std::string recorded_command(const std::filesystem::path& folder) {
  // Attributions made before provenance.json existed have the command in command.json.
  for (const char* name : {kProvenanceFile, "command.json"}) {
    const std::filesystem::path file = folder / name;
    if (!std::filesystem::exists(file)) continue;
    return JsonReader(parse_json_file(file), file.string()).string("command_line");
  }
  return "";
}

}  // namespace cdt
