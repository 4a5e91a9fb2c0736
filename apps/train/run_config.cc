#include "apps/train/run_config.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "apps/common/program.h"
#include "apps/common/provenance.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/tensor_file.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/checkpoint.h"
#include "model/inputs.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// Visits the parts of a start that config.json has only if they were given.
template <class Start, class Visit>
void for_each_start_path(Start& start, const Visit& visit) {
  visit("init_from", start.init_from);
  visit("init_from_genes", start.init_from_genes);
  visit("state", start.state);
}

/// Whether two parts of a run were made by the same code on the same kind of machine. The number of
/// threads changes no result.
bool computes_alike(nlohmann::json a, nlohmann::json b) {  // without an order of keys
  for (const char* key : {"code", "compiler", "libraries", "device"}) {
    if (!a.contains(key) || !b.contains(key)) return false;
    for (nlohmann::json* part : {&a[key], &b[key]}) {
      if (part->is_object()) part->erase("threads");
    }
    if (a[key] != b[key]) return false;
  }
  return true;
}

}  // namespace

CdtConfig choose_config(const fs::path& weights_file, Dataset* data, TrainOptions* options) {
  if (weights_file.empty()) {
    CdtConfig config = model_config(options->settings, data);
    if (data != nullptr) check_gene_inputs(config, *data);
    return config;
  }
  const std::unique_ptr<TensorFile> reader = open_tensor_file(weights_file);
  CdtConfig config = read_model_config(*reader, options->overrides);
  adopt_model_sizes(config, weights_file, options);
  if (!options->resume) {
    adopt_model_dropout(config, weights_file, options);
    // All settings of a verified run count as given, also those that change nothing.
    if (options->verify.empty()) check_combined(*options);
  }
  config.dropout = static_cast<float>(options->settings.dropout);
  if (data != nullptr) {
    fit_to_model(*reader, config, options->overrides, data);
    check_gene_inputs(config, *data);
  }
  return config;
}

PairUse pair_use(const TrainSettings& settings) {
  return {settings.fold, settings.train_share, static_cast<std::uint64_t>(settings.seed)};
}

RunStart start_of(const TrainOptions& options) {
  return {options.common.model,
          options.state,
          options.init_from,
          options.init_from_genes,
          options.init_from_except,
          options.overrides.match_genes,
          options.overrides.other_inputs};
}

void start_as(const RunStart& start, TrainOptions* options) {
  options->common.model = start.model;
  options->state = start.state;
  options->init_from = start.init_from;
  options->init_from_genes = start.init_from_genes;
  options->init_from_except = start.init_from_except;
  options->overrides.match_genes = start.match_genes;
  options->overrides.other_inputs = start.other_inputs;
}

std::string config_json(const TrainOptions& options, const RunStart& start, const CdtConfig& config,
                        const std::string& data_digest) {
  const CommonOptions& common = options.common;
  Json json = {{"program", "cdt-train " + version()},
               {"data", path_text(common.data)},
               {"fingerprint", {{"data", data_digest}}},
               {"init", path_text(start.model)}};
  for_each_start_path(start, [&](const char* name, const fs::path& path) {
    if (!path.empty()) json[name] = path_text(path);
  });
  for (const std::string& pattern : start.init_from_except) {
    json["init_from_except"].push_back(escape_bytes(pattern));
  }
  if (start.match_genes) json["match_genes"] = true;
  if (start.other_inputs) json["other_inputs"] = true;
  json["device"] = common.device;
  json["threads"] = common.threads;
  json["options"] = Json::parse(settings_json(options.settings));
  json["model"] = Json::parse(model_config_json(config));
  return json.dump(2) + "\n";
}

RunRecipe read_recipe(const fs::path& run) {
  const fs::path file = run / "config.json";
  const nlohmann::json json = parse_json_file(file);
  JsonReader reader(json, file.string());
  RunRecipe out;
  out.data = path_of_text(reader.string("data"));
  if (reader.has("fingerprint")) out.data_digest = reader.object("fingerprint").string("data");
  out.start.model = path_of_text(reader.string("init"));
  for_each_start_path(out.start, [&](const char* name, fs::path& path) {
    if (reader.has(name)) path = path_of_text(reader.string(name));
  });
  if (reader.has("init_from_except")) {
    for (const std::string& pattern : reader.strings("init_from_except")) {
      out.start.init_from_except.push_back(unescape_bytes(pattern));
    }
  }
  out.start.match_genes = reader.has("match_genes") && reader.boolean("match_genes");
  out.start.other_inputs = reader.has("other_inputs") && reader.boolean("other_inputs");
  out.device = reader.string("device");
  out.options = dumped(reader.value("options"));
  return out;
}

std::string run_provenance(const TrainOptions& options, const Fingerprint& fingerprint,
                           const Backend& backend, int ranks) {
  Json out = provenance_of(options.common, fingerprint, &backend);
  out["options"].update(Json::parse(settings_json(options.settings)));
  out["options"]["data"] = path_text(options.common.data);
  if (ranks > 1) out["device"]["ranks"] = ranks;
  const fs::path file = options.common.out / kProvenanceFile;
  if (!options.resume || !fs::exists(file)) return json_text(out);
  parse_json_file(file);  // the strict reader
  Json before = Json::parse(read_text_file(file));
  Json earlier = before.contains("earlier") ? before["earlier"] : Json::array();
  before.erase("earlier");
  if (before.contains("fingerprint")) out["fingerprint"] = before["fingerprint"];
  if (!computes_alike(before, out)) earlier.push_back(before);
  if (!earlier.empty()) out["earlier"] = earlier;
  return json_text(out);
}

}  // namespace cdt
