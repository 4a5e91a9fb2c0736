#include "apps/report/sources.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/common/program.h"
#include "apps/common/session.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
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
  // Runs older than this field have no separate r for seen genes.
  if (by_seen && reader.has("val_pairs_of_unseen_genes") &&
      reader.integer("val_pairs_of_unseen_genes", 0) > 0) {
    json_fields::Reader(parsed, where, "")("val_seen_pearson", row.steering_r);
  }
  if (reader.has("monitor")) {
    json_fields::Reader monitor(reader.value("monitor"), where, "monitor.");
    monitor("name", row.monitor);
    monitor("value", row.monitored);
  }
  return row;
}

/// The options of config.json as a command line.
std::string train_command(const RunRecord& run) {
  std::string out = "cdt-train";
  const auto add = [&out](const std::string& option, const std::string& value) {
    if (!value.empty()) out += " --" + option + " " + shell_word(value);
  };
  add("data", unescape_bytes(run.config.data));
  add("model", unescape_bytes(run.config.init));
  add("out", run.directory.string());
  for (const auto& [name, value] : run.config.options) add(name, value);
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

std::string RunConfig::option(const std::string& name) const {
  const std::string* value = find_name(options, name);
  return value == nullptr ? "" : *value;
}

RunConfig read_config(const fs::path& file) {
  const nlohmann::json json = parse_json_file(file);
  auto out = read_fields<RunConfig>(json, file.string());
  ByName<nlohmann::json> options;
  json_fields::Reader(json, file.string(), "")("options", options);
  for (const auto& [name, value] : options) {
    out.options.emplace_back(name, value.is_string()   ? value.get<std::string>()
                                   : value.is_number() ? value.dump()
                                                       : "");
  }
  return out;
}

RunRecord read_run(const fs::path& directory) {
  if (!fs::is_directory(directory)) {
    throw InputError(directory.string(), "--run", "no such folder; cdt-train --out makes one");
  }
  RunRecord run;
  run.directory = directory;
  run.config = read_config(directory / "config.json");
  run.command = train_command(run);
  run.has_model = fs::exists(directory / "model.safetensors");
  if (run.has_model) run.parameters = count_parameters(directory / "model.safetensors");
  const fs::path metrics = directory / "metrics.jsonl";
  if (fs::exists(metrics)) {
    run.epochs = read_epochs(metrics, run.config.option("steer-by") == "seen");
  }
  // A training writes the row of its best epoch before the model.
  if (run.has_model && run.epochs.empty()) {
    throw InputError(metrics.string(), "rows",
                     "has no finished epoch, and there is a model of one");
  }
  return run;
}

std::vector<EpochRow> read_epochs(const fs::path& metrics, bool by_seen) {
  std::vector<EpochRow> out;
  LineFile lines(metrics);
  std::string_view line;
  while (lines.next(&line)) {
    out.push_back(read_epoch(std::string(line), metrics.string() + ": " + lines.where(), by_seen));
  }
  return out;
}

const EpochRow* RunRecord::best() const {
  const auto found =
      std::find_if(epochs.rbegin(), epochs.rend(), [](const EpochRow& row) { return row.best; });
  return found == epochs.rend() ? nullptr : &*found;
}

PageSource::PageSource(const RunRecord& record, const Dataset& of, const ModelOverrides& overrides)
    : run(record.directory), data(of), fingerprint{"", digest_of_data(of)} {
  if (!record.has_model) return;
  const SafetensorsReader reader(run / "model.safetensors");
  fingerprint.model = digest_of_model(reader, read_model_config(reader, overrides));
}

void PageSource::expect(const std::filesystem::path& folder, const std::string& output,
                        const Fingerprint& of) const {
  if (!fingerprint.model.empty() && of.model != fingerprint.model) {
    throw InputError(path_text(folder), "model",
                     expected_got(output + " was made with another model than the run " +
                                      path_text(run) + " has",
                                  fingerprint.model, of.model));
  }
  if (of.data != fingerprint.data) {
    throw InputError(
        path_text(folder), "data",
        expected_got(output + " was made from another data set than " + path_text(data.directory),
                     fingerprint.data, of.data));
  }
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
