#include "apps/report/material.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/common/program.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

EpochRow read_epoch(const std::string& line, const std::string& where, bool by_seen) {
  const nlohmann::json parsed = parse_json(line, where);
  auto row = read_fields<EpochRow>(parsed, where);
  JsonReader reader(parsed, where);
  reader.integer("epoch", 1);
  // Runs from before there was such a field have no r of their own for seen genes.
  if (by_seen && reader.has("val_pairs_of_unseen_genes") &&
      reader.integer("val_pairs_of_unseen_genes", 0) > 0) {
    json_fields::Reader(parsed, where, "")("val_seen_pearson", row.steering_r);
  }
  return row;
}

/// The options of config.json as a command line.
std::string train_command(const RunRecord& run) {
  std::string out = "cdt-train";
  const auto add = [&out](const std::string& option, const nlohmann::json& value) {
    if (!value.is_string() && !value.is_number()) return;
    const std::string word = value.is_string() ? value.get<std::string>() : value.dump();
    if (!word.empty()) out += " --" + option + " " + shell_word(word);
  };
  add("data", unescape_bytes(string_at(run.config, "data")));
  add("model", unescape_bytes(string_at(run.config, "init")));
  add("out", run.directory.string());
  const nlohmann::json& options = value_at(run.config, "options");
  if (!options.is_object()) return out;
  for (const auto& [key, value] : options.items()) add(key, value);
  return out;
}

std::int64_t count_parameters(const fs::path& model) {
  const SafetensorsReader reader(model);
  std::int64_t out = 0;
  for (const TensorInfo& tensor : reader.tensors()) {
    std::int64_t values = 1;
    for (const std::int64_t size : tensor.shape) values *= size;
    out += values;
  }
  return out;
}

}  // namespace

RunRecord read_run(const fs::path& directory) {
  if (!fs::is_directory(directory)) {
    throw InputError(directory.string(), "--run", "no such folder; cdt-train --out makes one");
  }
  RunRecord run;
  run.directory = directory;
  run.config = parse_json_file(directory / "config.json");
  run.command = train_command(run);
  run.data_digest = string_at(run.config, "fingerprint.data");
  run.has_model = fs::exists(directory / "model.safetensors");
  if (run.has_model) run.parameters = count_parameters(directory / "model.safetensors");
  const fs::path metrics = directory / "metrics.jsonl";
  if (!fs::exists(metrics)) return run;
  const bool by_seen = string_at(run.config, "options.steer-by") == "seen";
  LineFile lines(metrics);
  std::string_view line;
  while (lines.next(&line)) {
    run.epochs.push_back(
        read_epoch(std::string(line), metrics.string() + ": " + lines.where(), by_seen));
  }
  return run;
}

const EpochRow* RunRecord::best() const {
  const auto found =
      std::find_if(epochs.rbegin(), epochs.rend(), [](const EpochRow& row) { return row.best; });
  return found == epochs.rend() ? nullptr : &*found;
}

const nlohmann::json& value_at(const nlohmann::json& object, const std::string& path) {
  static const nlohmann::json nothing;
  const nlohmann::json* at = &object;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    if (!at->is_object()) return nothing;
    const auto found = at->find(path.substr(begin, end - begin));
    if (found == at->end()) return nothing;
    at = &*found;
    begin = end + 1;
  }
  return *at;
}

std::string string_at(const nlohmann::json& object, const std::string& path) {
  const nlohmann::json& value = value_at(object, path);
  return value.is_string() ? value.get<std::string>() : "";
}

void expect_version(const nlohmann::json& json, const std::string& source,
                    const std::string& format, std::int64_t version, const std::string& program,
                    const std::string& command) {
  JsonReader reader(json, source);
  const std::string found = reader.string("format");
  if (found != format) reader.fail("format", expected_got("another file", format, found));
  if (const std::int64_t older = reader.integer("version", 1, version); older < version) {
    reader.fail("format", "is version " + std::to_string(older) + "; run " + program + " again" +
                              (command.empty() ? "" : ": " + command));
  }
}

}  // namespace cdt
