#include "model/checkpoint.h"

#include <cmath>
#include <vector>

#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/floats.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"
#include "model/state_dict.h"

namespace cdt {
namespace {

constexpr const char* kFormat = "cdt-checkpoint";
constexpr const char* kOutputScale = "output_scale";
constexpr const char* kOutputs = "outputs";
constexpr std::int64_t kReleasedHeads = 8;
constexpr std::int64_t kReleasedPoolHeads = 4;

/// Returns a number of heads, which the tensors do not show: the override, else the reference's
/// number, with a note.
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

/// Builds the digest of configuration, names and values, tensor by tensor.
class WeightsDigest {
 public:
  explicit WeightsDigest(const Cdt& model) { digest_.add(model_config_json(model.config())); }
  /// values: all values of the parameter.
  void add(const Parameter& parameter, const float* values) {
    digest_.add(parameter.name);
    digest_.add(values, static_cast<std::size_t>(parameter.variable.value.count()) * sizeof(float));
  }
  std::string hex() const { return digest_.hex(); }

 private:
  Digest digest_;
};

/// Checks every tensor of the file and passes each parameter's index and values to `visit`. Returns
/// what weights_digest() would.
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
  std::size_t i = 0;
  for (const Parameter& parameter : model.parameters()) {
    const std::vector<float> values = dict.read(parameter.name);
    digest.add(parameter, values.data());
    visit(i++, values);
  }
  return digest.hex();
}

}  // namespace

OutputUnits read_output_units(const TensorFile& reader) {
  OutputUnits out;
  if (!is_checkpoint(reader)) return out;
  if (reader.has_metadata(kOutputScale)) {
    const std::string& text = reader.metadata(kOutputScale);
    if (!parse_double(text, &out.scale) || !(out.scale > 0.0 && std::isfinite(out.scale))) {
      reader.fail_metadata(kOutputScale, expected_got("bad value", "a number above 0", text));
    }
  }
  if (reader.has_metadata(kOutputs)) {
    const std::string& text = reader.metadata(kOutputs);
    if (text != kNormalScores) {
      reader.fail_metadata(kOutputs, expected_got("unknown kind", kNormalScores, text));
    }
    out.ranks = true;
  }
  return out;
}

std::map<std::string, std::string> output_metadata(const OutputUnits& units) {
  std::map<std::string, std::string> out;
  if (units.scale != 1.0) out[kOutputScale] = format_number(units.scale);
  if (units.ranks) out[kOutputs] = kNormalScores;
  return out;
}

std::vector<float> predictions_of(const OutputUnits& units, std::vector<float> outputs) {
  for (float& value : outputs) value = static_cast<float>(value * units.scale);
  return outputs;
}

void expect_same_kind(const TensorFile& reader, const OutputUnits& run) {
  const auto kind = [](bool ranks) { return ranks ? kNormalScores : "effects"; };
  const bool there = read_output_units(reader).ranks;
  if (there == run.ranks) return;
  throw InputError(reader.path().string(), "metadata." + std::string(kOutputs),
                   expected_got("its model predicts something else than this run with its "
                                "--label-transform",
                                kind(run.ranks), kind(there)));
}

void scale_outputs(double factor, Backend& backend, Cdt& model) {
  for (const Var parameter : {model.head.last.weight, model.head.last.bias}) {
    std::vector<float> values = to_host(backend, parameter->value);
    for (float& value : values) value = static_cast<float>(value * factor);
    model.set(parameter, values.data());
  }
}

std::vector<std::int64_t> dims_of(const Shape& shape) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i) out[static_cast<std::size_t>(i)] = shape[i];
  return out;
}

bool is_our_format(const TensorFile& reader) {
  return reader.has_metadata("format") && reader.metadata("format").starts_with("cdt-");
}

CdtConfig read_model_config(const TensorFile& reader, const ModelOverrides& overrides) {
  const std::string file = reader.path().string();
  // A foreign state_dict may have metadata of its own.
  CdtConfig config;
  if (is_our_format(reader)) {
    const std::string& format = reader.metadata("format");
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
  StateDict(reader).note_differences();
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
  const double scale = read_output_units(reader).scale;
  if (scale != 1.0) scale_outputs(scale, backend, *model);
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

std::string save_model(AtomicFile& file, const Cdt& model, Backend& backend,
                       const std::map<std::string, std::string>& extra) {
  WeightsDigest digest(model);
  std::vector<TensorToWrite> tensors;
  for (const Parameter& parameter : model.parameters()) {
    const auto fill = [&backend, &digest, &parameter](float* out) {
      backend.download(out, parameter.variable.value);
      if (first_non_finite(out, parameter.variable.value.count()) >= 0) {
        throw NotFinite(parameter.name + " holds NaN or infinity");
      }
      digest.add(parameter, out);
    };
    tensors.push_back({parameter.name, dims_of(parameter.variable.value.shape), nullptr, fill});
  }
  write_safetensors(file, tensors, checkpoint_metadata(model, extra));
  return digest.hex();
}

std::string save_model(const std::filesystem::path& path, const Cdt& model, Backend& backend,
                       const std::map<std::string, std::string>& extra) {
  AtomicFile file(path);
  std::string digest = save_model(file, model, backend, extra);
  file.commit();
  return digest;
}

}  // namespace cdt
