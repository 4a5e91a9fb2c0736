#include "model/checkpoint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kFormat = "cdt-checkpoint";
constexpr std::int64_t kLargestSize = std::int64_t{1} << 24U;
constexpr std::int64_t kMostLayers = 1000;
constexpr std::int64_t kReleasedHeads = 8;
constexpr std::int64_t kReleasedPoolHeads = 4;

constexpr std::array<std::string_view, 2> kWrappers = {"module.", "_orig_mod."};

/// What all names begin with, wrapper in wrapper.
std::string common_prefix(const std::vector<TensorInfo>& tensors, const std::string& file) {
  std::string prefix;
  for (std::size_t i = 0; i < kWrappers.size();) {
    const std::string longer = prefix + std::string(kWrappers[i]);
    const auto has = [&](const TensorInfo& info) { return info.name.starts_with(longer); };
    const auto lacks = std::find_if_not(tensors.begin(), tensors.end(), has);
    if (lacks != tensors.end() && std::any_of(tensors.begin(), tensors.end(), has)) {
      throw InputError(file, lacks->name,
                       expected_got("only other tensors have the prefix of a PyTorch wrapper",
                                    longer + "... in all names or in none", lacks->name));
    }
    const bool all = lacks == tensors.end() && !tensors.empty();
    if (all) prefix = longer;
    i = all ? 0 : i + 1;
  }
  return prefix;
}

/// The tensors of a model file under the names the model gives them, and the sizes read off them.
/// PyTorch's wrappers put a prefix before every name of a state_dict ("module." of DataParallel,
/// "_orig_mod." of torch.compile); such prefixes are left out.
class StateDict {
 public:
  /// InputError naming the first tensor without the prefix where only some names have it.
  explicit StateDict(const TensorFile& reader)
      : file_(reader.path().string()), prefix_(common_prefix(reader.tensors(), file_)) {
    for (const TensorInfo& info : reader.tensors()) {
      shapes_[info.name.substr(prefix_.size())] = info.shape;
    }
  }

  /// Of every name in the file; "" if there is none.
  const std::string& prefix() const { return prefix_; }
  /// By the name without the prefix.
  const std::map<std::string, std::vector<std::int64_t>>& shapes() const { return shapes_; }

  /// `config` with the sizes that the tensors have; those that leave no trace in them stay.
  CdtConfig sizes_into(CdtConfig config) const {
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
  std::string prefix_;
  std::map<std::string, std::vector<std::int64_t>> shapes_;
};

/// One line on stderr if a prefix is left out, and one for each type of number that is brought to
/// float32.
void note_differences(const TensorFile& reader, const std::string& prefix) {
  const std::string file = reader.path().string() + ": ";
  if (!prefix.empty()) note(file + "every name begins with " + prefix + ", which is left out");
  struct Change {
    const char *dtype, *what;
  };
  constexpr std::array<Change, 3> kChanges = {{{"F64", "float64 and are rounded to float32"},
                                               {"F16", "float16 and are widened to float32"},
                                               {"BF16", "bfloat16 and are widened to float32"}}};
  for (const Change& change : kChanges) {
    const auto count =
        std::count_if(reader.tensors().begin(), reader.tensors().end(),
                      [&](const TensorInfo& info) { return info.dtype == change.dtype; });
    if (count == 0) continue;
    note(file + std::to_string(count) + " of " + std::to_string(reader.tensors().size()) +
         " tensors are " + change.what);
  }
}

/// Heads leave no trace in the tensors: the override, else the reference's number, with a note.
std::int64_t heads_or(std::int64_t given, std::int64_t released, std::int64_t hidden,
                      const std::string& file, const char* option) {
  if (given > 0) return given;
  if (hidden % released != 0) {
    throw InputError(file, option,
                     "the file does not record it; give --" + std::string(option) + " N");
  }
  note(file + ": " + option + " is not recorded; taking " + std::to_string(released) +
       " as the reference does (--" + option + " N to say otherwise)");
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

/// The digest of configuration, names and values, tensor by tensor.
class WeightsDigest {
 public:
  explicit WeightsDigest(const Cdt& model) { digest_.add(model_config_json(model.config())); }
  /// Its values, as many as it has.
  void add(const Parameter& parameter, const float* values) {
    digest_.add(parameter.name);
    digest_.add(values, static_cast<std::size_t>(parameter.variable.value.count()) * sizeof(float));
  }
  std::string hex() const { return digest_.hex(); }

 private:
  Digest digest_;
};

/// Checks every tensor of the file and gives each parameter's number and values to `visit`. The
/// digest is that of weights_digest().
template <class Visit>
std::string check_parameters(const TensorFile& reader, const Cdt& model, const Visit& visit) {
  const std::string file = reader.path().string();
  const StateDict dict(reader);
  auto stored = dict.shapes();
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
  WeightsDigest digest(model);
  std::vector<float> values;
  std::size_t i = 0;
  for (const Parameter& parameter : model.parameters()) {
    values.resize(static_cast<std::size_t>(parameter.variable.value.count()));
    reader.read(dict.prefix() + parameter.name, values.data());
    const auto bad =
        std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    if (bad != values.end()) {
      throw InputError(
          file, parameter.name,
          "element " + std::to_string(bad - values.begin()) + " is " + format_number(*bad));
    }
    digest.add(parameter, values.data());
    visit(i++, values);
  }
  return digest.hex();
}

}  // namespace

std::vector<std::int64_t> dims_of(const Shape& shape) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i) out[static_cast<std::size_t>(i)] = shape[i];
  return out;
}

CdtConfig read_model_config(const TensorFile& reader, const ModelOverrides& overrides) {
  const std::string file = reader.path().string();
  // A state_dict from elsewhere may have metadata of its own.
  const std::string format = reader.has_metadata("format") ? reader.metadata("format") : "";
  CdtConfig config;
  if (format.starts_with("cdt-")) {
    if (format != kFormat) {
      reader.fail_metadata("format", expected_got("not a model checkpoint", kFormat, format));
    }
    const std::string& recorded = reader.metadata("config");
    const std::string& version =
        reader.metadata("version", "unknown version (expected 1, got nothing)");
    if (version != "1") {
      reader.fail_metadata("version", expected_got("unknown version", "1", version));
    }
    config = parse_model_config(recorded, file + ": metadata.config");
    check_same_config(StateDict(reader).sizes_into(config), config, file + ": metadata.config",
                      "is not that of the tensors");
    refuse_override(overrides.heads, config.heads, file, "heads");
    refuse_override(overrides.pool_heads, config.pool_heads, file, "pool-heads");
  } else {
    config = StateDict(reader).sizes_into({});
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

std::string read_parameters(const TensorFile& reader, Cdt& model) {
  note_differences(reader, StateDict(reader).prefix());
  return check_parameters(reader, model, [&](std::size_t i, const std::vector<float>& values) {
    model.set(&model.parameters()[i].variable, values.data());
  });
}

std::string stored_weights_digest(const TensorFile& reader, const Cdt& like) {
  return check_parameters(reader, like, [](std::size_t, const std::vector<float>&) {});
}

std::unique_ptr<Cdt> load_model(const TensorFile& reader, const CdtConfig& config, Backend& backend,
                                Arena& lasting, std::string* digest) {
  auto model = std::make_unique<Cdt>(config, backend, lasting, false);
  const std::string of_weights = read_parameters(reader, *model);
  if (digest != nullptr) *digest = of_weights;
  return model;
}

std::string weights_digest(const Cdt& model, Backend& backend) {
  WeightsDigest digest(model);
  std::vector<float> values;
  for (const Parameter& parameter : model.parameters()) {
    values.resize(static_cast<std::size_t>(parameter.variable.value.count()));
    backend.download(values.data(), parameter.variable.value);
    digest.add(parameter, values.data());
  }
  return digest.hex();
}

bool is_checkpoint(const TensorFile& reader) {
  return reader.has_metadata("format") && reader.metadata("format") == kFormat;
}

std::map<std::string, std::string> checkpoint_metadata(
    const Cdt& model, const std::map<std::string, std::string>& extra) {
  std::map<std::string, std::string> metadata = extra;
  metadata["format"] = kFormat;
  metadata["version"] = "1";
  metadata["config"] = model_config_json(model.config());
  return metadata;
}

std::string save_model(const std::filesystem::path& file, const Cdt& model, Backend& backend,
                       const std::map<std::string, std::string>& extra) {
  WeightsDigest digest(model);
  std::vector<TensorToWrite> tensors;
  for (const Parameter& parameter : model.parameters()) {
    const auto fill = [&backend, &digest, &parameter](float* out) {
      backend.download(out, parameter.variable.value);
      digest.add(parameter, out);
    };
    tensors.push_back({parameter.name, dims_of(parameter.variable.value.shape), nullptr, fill});
  }
  write_safetensors(file, tensors, checkpoint_metadata(model, extra));
  return digest.hex();
}

}  // namespace cdt
