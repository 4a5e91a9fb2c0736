// The parameters of CDT: names and shapes of the reference's state_dict, and their initial values.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/random.h"
#include "model/cdt.h"

namespace cdt {
namespace {

bool ends_with(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

// "dna_self_attn_layers.0.ffn.0.weight" -> "dna_self_attn_layers.0"; "vce.fusion.0.bias" -> "vce".
std::string module_of(const std::string& name) {
  const std::size_t dot = name.find('.');
  std::string first = name.substr(0, dot);
  if (!ends_with(first, "_layers")) return first;
  return name.substr(0, name.find('.', dot + 1));
}

bool is_norm(const std::string& name) {
  return name.find("norm") != std::string::npos || name.find("vce.fusion.4.") == 0;
}

// Draws follow PyTorch's defaults: Linear U(+-1/sqrt(fan_in)) for weight and bias; in
// MultiheadAttention in_proj_weight Xavier-uniform and both biases zero; LayerNorm 1 and 0;
// pooling queries N(0, 1).
std::vector<float> initial_values(const Parameter& p, std::int64_t bias_fan_in,
                                  RandomStream random) {
  const Shape& shape = p.variable.value.shape;
  std::vector<float> values(static_cast<std::size_t>(shape.count()), 0.0F);
  if (is_norm(p.name)) {
    if (ends_with(p.name, "weight")) values.assign(values.size(), 1.0F);
    return values;
  }
  if (ends_with(p.name, "_query")) {
    for (float& v : values) v = static_cast<float>(random.normal());
    return values;
  }
  if (ends_with(p.name, "in_proj_bias") || ends_with(p.name, "out_proj.bias")) return values;
  double bound = 1.0 / std::sqrt(static_cast<double>(bias_fan_in));
  if (ends_with(p.name, "in_proj_weight")) {
    bound = std::sqrt(6.0 / static_cast<double>(shape[0] + shape[1]));
  }
  for (float& v : values) v = static_cast<float>((2.0 * random.uniform() - 1.0) * bound);
  return values;
}

constexpr std::uint32_t kInitStream = 0x10000;

}  // namespace

void Cdt::add(const std::string& name, const Shape& shape, bool trainable, Arena& lasting) {
  Parameter p;
  p.name = name;
  p.module = module_of(name);
  p.variable.value = lasting.tensor(shape);
  p.variable.lasting = true;
  p.variable.needs_grad = trainable;
  if (backend_.activations() != Dtype::kFloat32) {
    p.variable.rounded = lasting.tensor(shape, backend_.activations());
  }
  index_[name] = parameters_.size();
  parameters_.push_back(std::move(p));
}

void Cdt::allocate_gradients(Arena& lasting) {
  constexpr std::int64_t kAlign = 32;  // floats: a gradient begins where an arena's tensor could
  const auto padded = [](std::int64_t n) { return ceil_div(n, kAlign) * kAlign; };
  std::int64_t total = 0;
  for (const Parameter& p : parameters_) total += padded(p.variable.value.count());
  gradients_ = lasting.tensor({total});
  std::int64_t offset = 0;
  for (Parameter& p : parameters_) {
    p.variable.grad = {gradients_.at(offset), p.variable.value.shape};
    offset += padded(p.variable.value.count());
  }
}

void Cdt::add_linear(const std::string& prefix, std::int64_t in, std::int64_t out, bool trainable,
                     Arena& lasting) {
  add(prefix + ".weight", {out, in}, trainable, lasting);
  add(prefix + ".bias", {out}, trainable, lasting);
}

void Cdt::add_norm_parameters(const std::string& prefix, bool trainable, Arena& lasting) {
  add(prefix + ".weight", {config_.hidden}, trainable, lasting);
  add(prefix + ".bias", {config_.hidden}, trainable, lasting);
}

void Cdt::add_attention(const std::string& prefix, bool trainable, Arena& lasting) {
  const std::int64_t d = config_.hidden;
  add(prefix + ".in_proj_weight", {3 * d, d}, trainable, lasting);
  add(prefix + ".in_proj_bias", {3 * d}, trainable, lasting);
  add_linear(prefix + ".out_proj", d, d, trainable, lasting);
}

void Cdt::add_block(const std::string& prefix, const std::string& attention, bool with_ffn,
                    bool trainable, Arena& lasting) {
  add_attention(prefix + "." + attention, trainable, lasting);
  if (!with_ffn) return;
  add_linear(prefix + ".ffn.0", config_.hidden, config_.feed_forward, trainable, lasting);
  add_linear(prefix + ".ffn.3", config_.feed_forward, config_.hidden, trainable, lasting);
  add_norm_parameters(prefix + ".norm1", trainable, lasting);
  add_norm_parameters(prefix + ".norm2", trainable, lasting);
}

void Cdt::add_head(bool trainable, Arena& lasting) {
  const std::int64_t d = config_.hidden;
  const bool released = config_.variant == Variant::kReleased;
  for (const char* m : {"dna", "rna", "protein"}) {
    add(std::string("vce.") + m + "_query", {1, 1, d}, trainable, lasting);
  }
  if (released) {
    for (const char* m : {"dna", "rna", "protein"}) {
      add_attention(std::string("vce.") + m + "_attn", trainable, lasting);
    }
  }
  add_linear("vce.fusion.0", 3 * d, config_.fusion, trainable, lasting);
  add_linear(released ? "vce.fusion.3" : "vce.fusion.2", config_.fusion, d, trainable, lasting);
  if (released) {
    add_norm_parameters("vce.fusion.4", trainable, lasting);
    add_linear("task_layer.0", d, d, trainable, lasting);
    add_linear("task_layer.3", d, config_.genes, trainable, lasting);
  } else {
    add_linear("task_layer", d, config_.genes, trainable, lasting);
  }
}

Cdt::Cdt(const CdtConfig& config, Backend& backend, Arena& lasting, bool trainable)
    : config_(config), backend_(backend) {
  const std::string problem = config_problem(config);
  CDT_CHECK(problem.empty(), "model configuration: " + problem);
  const std::pair<const char*, std::int64_t> inputs[] = {
      {"dna", config.dna_dim}, {"rna", config.rna_dim}, {"protein", config.protein_dim}};
  for (const auto& [modality, dim] : inputs) {
    const std::string prefix = std::string(modality) + "_projector";
    add_linear(prefix + ".linear", dim, config.hidden, trainable, lasting);
    add_norm_parameters(prefix + ".norm", trainable, lasting);
  }
  const std::pair<const char*, std::int64_t> trunks[] = {
      {"dna", config.dna_layers}, {"rna", config.rna_layers}, {"protein", config.protein_layers}};
  for (const auto& [modality, layers] : trunks) {
    for (std::int64_t i = 0; i < layers; ++i) {
      add_block(std::string(modality) + "_self_attn_layers." + std::to_string(i), "self_attn", true,
                trainable, lasting);
    }
  }
  const bool with_ffn = config.variant == Variant::kReleased;
  add_block("dna_to_rna", "cross_attn", with_ffn, trainable, lasting);
  add_block("rna_to_protein", "cross_attn", with_ffn, trainable, lasting);
  add_head(trainable, lasting);
  if (trainable) allocate_gradients(lasting);
}

std::int64_t Cdt::parameter_count() const {
  std::int64_t n = 0;
  for (const Parameter& p : parameters_) n += p.variable.value.count();
  return n;
}

Parameter& Cdt::parameter(const std::string& name) {
  const auto found = index_.find(name);
  CDT_CHECK(found != index_.end(), "the model has no parameter " + name);
  return parameters_[found->second];
}

void Cdt::set(Parameter& parameter, const float* values) {
  Variable& v = parameter.variable;
  backend_.upload(v.value, values);
  if (!v.rounded.empty()) backend_.cast(v.rounded, v.value);
}

void Cdt::initialise(std::uint64_t seed) {
  std::int64_t fan_in = 1;  // of the weight a bias follows
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Parameter& p = parameters_[i];
    if (p.variable.value.shape.rank() == 2) fan_in = p.variable.value.shape[1];
    const std::vector<float> values =
        initial_values(p, fan_in, RandomStream(seed, kInitStream + static_cast<std::uint32_t>(i)));
    set(p, values.data());
  }
}

void Cdt::freeze() {
  for (Parameter& p : parameters_) {
    p.variable.needs_grad = false;
    p.variable.grad = {};
  }
  gradients_ = {};
}

std::vector<Var> Cdt::variables() {
  std::vector<Var> out;
  for (Parameter& parameter : parameters_) out.push_back(&parameter.variable);
  return out;
}

void Cdt::zero_gradients() {
  if (!gradients_.empty()) backend_.fill(gradients_, 0.0F);
}

}  // namespace cdt
