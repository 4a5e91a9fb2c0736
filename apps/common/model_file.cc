#include "apps/common/model_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "io/json.h"
#include "io/text.h"

namespace cdt {
namespace {

constexpr const char* kFormat = "cdt-checkpoint";
constexpr std::int64_t kLargestSize = std::int64_t{1} << 24U;
constexpr std::int64_t kMostLayers = 1000;
constexpr std::int64_t kReleasedHeads = 8;
constexpr std::int64_t kReleasedPoolHeads = 4;

/// Every integer of a configuration under its JSON name, in writing order; layers may be 0.
struct SizeField {
  const char* name;
  std::int64_t CdtConfig::*member;
  bool layers = false;
};
constexpr std::array<SizeField, 12> kSizes = {
    {{"dna_dim", &CdtConfig::dna_dim},
     {"rna_dim", &CdtConfig::rna_dim},
     {"protein_dim", &CdtConfig::protein_dim},
     {"genes", &CdtConfig::genes},
     {"hidden", &CdtConfig::hidden},
     {"heads", &CdtConfig::heads},
     {"pool_heads", &CdtConfig::pool_heads},
     {"feed_forward", &CdtConfig::feed_forward},
     {"fusion", &CdtConfig::fusion},
     {"dna_layers", &CdtConfig::dna_layers, true},
     {"rna_layers", &CdtConfig::rna_layers, true},
     {"protein_layers", &CdtConfig::protein_layers, true}}};

CdtConfig config_of_json(const std::string& text, const std::string& file) {
  const std::string source = file + ": metadata.config";
  const nlohmann::json parsed = parse_json(text, source);
  JsonReader json(parsed, source);
  CdtConfig config;
  config.variant = parse_variant(json.string("variant"), source);
  for (const SizeField& field : kSizes) {
    config.*field.member =
        json.integer(field.name, field.layers ? 0 : 1, field.layers ? kMostLayers : kLargestSize);
  }
  const double dropout = json.number("dropout");
  if (!(dropout >= 0.0 && dropout < 1.0)) {
    throw InputError(source, "dropout",
                     expected_got("out of range", "0 <= dropout < 1", format_number(dropout)));
  }
  config.dropout = static_cast<float>(dropout);
  json.no_other_keys();
  return config;
}

/// Sizes of a state_dict without metadata, read off its tensors.
class Inference {
 public:
  explicit Inference(const SafetensorsReader& reader) : file_(reader.path().string()) {
    for (const TensorInfo& info : reader.tensors()) shapes_[info.name] = info.shape;
  }

  CdtConfig config() const {
    CdtConfig config;
    const bool released = shapes_.count("vce.dna_attn.in_proj_weight") > 0;
    config.variant = released ? Variant::kReleased : Variant::kPaper;
    config.hidden = rows("dna_projector.linear.weight");
    config.dna_dim = columns("dna_projector.linear.weight");
    config.rna_dim = columns("rna_projector.linear.weight");
    config.protein_dim = columns("protein_projector.linear.weight");
    config.fusion = rows("vce.fusion.0.weight");
    config.genes = rows(released ? "task_layer.3.weight" : "task_layer.weight");
    config.dna_layers = layers("dna");
    config.rna_layers = layers("rna");
    config.protein_layers = layers("protein");
    for (const auto& [name, shape] : shapes_) {
      if (name.ends_with(".ffn.0.weight")) config.feed_forward = rows(name);
    }
    return config;
  }

 private:
  std::int64_t dimension(const std::string& name, std::size_t axis) const {
    const auto found = shapes_.find(name);
    if (found == shapes_.end()) {
      throw InputError(file_, name, "no such tensor; this is no checkpoint of the model");
    }
    if (found->second.size() != 2) {
      throw InputError(file_, name,
                       expected_got("rank", "2", std::to_string(found->second.size())));
    }
    const std::int64_t size = found->second[axis];
    if (size < 1 || size > kLargestSize) {
      throw InputError(file_, name, "size " + std::to_string(size) + " is out of range");
    }
    return size;
  }
  std::int64_t rows(const std::string& name) const { return dimension(name, 0); }
  std::int64_t columns(const std::string& name) const { return dimension(name, 1); }
  std::int64_t layers(const std::string& modality) const {
    std::int64_t count = 0;
    while (count < kMostLayers &&
           shapes_.count(modality + "_self_attn_layers." + std::to_string(count) +
                         ".self_attn.in_proj_weight") > 0) {
      ++count;
    }
    return count;
  }

  std::string file_;
  std::map<std::string, std::vector<std::int64_t>> shapes_;
};

/// Heads leave no trace in the tensors: the override, else the reference's number, said aloud.
std::int64_t heads_or(std::int64_t given, std::int64_t released, std::int64_t hidden,
                      const std::string& file, const char* option) {
  if (given > 0) return given;
  if (hidden % released != 0) {
    throw InputError(file, option,
                     "the file does not record it; give --" + std::string(option) + " N");
  }
  std::cerr << "note: " << file << " does not record " << option << "; taking "
            << std::to_string(released) << " as the reference does (--" << option
            << " N to say otherwise)\n";
  return released;
}

void refuse_override(std::int64_t given, std::int64_t recorded, const std::string& file,
                     const char* option) {
  if (given > 0 && given != recorded) {
    throw InputError(file, option,
                     expected_got("differs from what the file records", std::to_string(recorded),
                                  std::to_string(given)));
  }
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string out = "(";
  for (const std::int64_t d : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(d);
  return out + ")";
}

}  // namespace

std::vector<std::int64_t> dims_of(const Shape& shape) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i) out[static_cast<std::size_t>(i)] = shape[i];
  return out;
}

std::string model_config_json(const CdtConfig& config) {
  std::string out = "{\"variant\":\"" + std::string(variant_name(config.variant)) + "\"";
  for (const SizeField& field : kSizes) {
    out += ",\"" + std::string(field.name) + "\":" + std::to_string(config.*field.member);
  }
  return out + ",\"dropout\":" + format_number(config.dropout) + "}";
}

CdtConfig read_model_config(const SafetensorsReader& reader, const ModelOverrides& overrides) {
  const std::string file = reader.path().string();
  const auto& metadata = reader.metadata();
  const auto recorded = metadata.find("config");
  CdtConfig config;
  if (recorded != metadata.end()) {
    const auto format = metadata.find("format");
    const auto version = metadata.find("version");
    if (format == metadata.end() || format->second != kFormat) {
      throw InputError(file, "metadata.format",
                       expected_got("not a model checkpoint", kFormat,
                                    format == metadata.end() ? "nothing" : format->second));
    }
    if (version == metadata.end() || version->second != "1") {
      throw InputError(file, "metadata.version",
                       expected_got("unknown version", "1",
                                    version == metadata.end() ? "nothing" : version->second));
    }
    config = config_of_json(recorded->second, file);
    refuse_override(overrides.heads, config.heads, file, "heads");
    refuse_override(overrides.pool_heads, config.pool_heads, file, "pool-heads");
  } else {
    config = Inference(reader).config();
    config.heads = heads_or(overrides.heads, kReleasedHeads, config.hidden, file, "heads");
    if (config.variant == Variant::kReleased) {
      config.pool_heads =
          heads_or(overrides.pool_heads, kReleasedPoolHeads, config.hidden, file, "pool-heads");
    }
  }
  const std::string problem = config_problem(config);
  if (!problem.empty()) throw InputError(file, "configuration", problem);
  return config;
}

void read_parameters(const SafetensorsReader& reader, Cdt& model) {
  const std::string file = reader.path().string();
  std::map<std::string, std::vector<std::int64_t>> stored;
  for (const TensorInfo& info : reader.tensors()) stored[info.name] = info.shape;
  for (const Parameter& parameter : model.parameters()) {
    const auto found = stored.find(parameter.name);
    if (found == stored.end()) throw InputError(file, parameter.name, "no such tensor");
    const std::vector<std::int64_t> expected = dims_of(parameter.variable.value.shape);
    if (found->second != expected) {
      throw InputError(file, parameter.name,
                       expected_got("shape", shape_text(expected), shape_text(found->second)));
    }
    stored.erase(found);
  }
  if (!stored.empty()) {
    throw InputError(file, stored.begin()->first, "the model has no such tensor");
  }
  std::vector<float> values;
  for (Parameter& parameter : model.parameters()) {
    values.resize(static_cast<std::size_t>(parameter.variable.value.count()));
    reader.read(parameter.name, values.data());
    const auto bad =
        std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    if (bad != values.end()) {
      throw InputError(
          file, parameter.name,
          "element " + std::to_string(bad - values.begin()) + " is " + format_number(*bad));
    }
    model.set(parameter, values.data());
  }
}

std::unique_ptr<Cdt> load_model(const std::filesystem::path& file, Backend& backend, Arena& lasting,
                                bool trainable, const ModelOverrides& overrides) {
  const SafetensorsReader reader(file);
  const CdtConfig config = read_model_config(reader, overrides);
  auto model = std::make_unique<Cdt>(config, backend, lasting, trainable);
  read_parameters(reader, *model);
  return model;
}

void save_model(const std::filesystem::path& file, const Cdt& model, Backend& backend,
                const std::map<std::string, std::string>& extra) {
  std::vector<std::vector<float>> values;
  std::vector<TensorToWrite> tensors;
  values.reserve(model.parameters().size());
  for (const Parameter& parameter : model.parameters()) {
    const Tensor& tensor = parameter.variable.value;
    values.emplace_back(static_cast<std::size_t>(tensor.count()));
    backend.download(values.back().data(), tensor);
    tensors.push_back({parameter.name, dims_of(tensor.shape), values.back().data()});
  }
  std::map<std::string, std::string> metadata = extra;
  metadata["format"] = kFormat;
  metadata["version"] = "1";
  metadata["config"] = model_config_json(model.config());
  write_safetensors(file, tensors, metadata);
}

void check_model_fits(const CdtConfig& config, const Dataset& data,
                      const std::filesystem::path& model_file) {
  const std::array<std::pair<const char*, std::pair<std::int64_t, std::int64_t>>, 4> sizes = {
      {{"dna_dim", {data.dna_dim, config.dna_dim}},
       {"rna_dim", {data.rna_dim, config.rna_dim}},
       {"protein_dim", {data.protein_dim, config.protein_dim}},
       {"genes", {data.genes_count(), config.genes}}}};
  for (const auto& [name, size] : sizes) {
    if (size.first == size.second) continue;
    throw InputError(model_file.string(), name,
                     expected_got("does not fit the data set " + data.directory.string(),
                                  std::to_string(size.first), std::to_string(size.second)));
  }
}

}  // namespace cdt
