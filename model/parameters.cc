#include "model/parameters.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/error.h"
#include "engine/random.h"
#include "model/positions.h"

namespace cdt {
namespace {

constexpr Initial kZeros{Initial::kConstant, 0.0}, kOnes{Initial::kConstant, 1.0};
constexpr Initial kNormal{Initial::kNormal};

Initial uniform(double bound) { return {Initial::kUniform, bound}; }

/// Appends parameters in state_dict order and returns where they are.
class Builder {
 public:
  Builder(const CdtConfig& config, Backend& backend, Arena& lasting,
          std::deque<Parameter>& parameters)
      : config_(config),
        rounded_(backend.activations()),
        lasting_(lasting),
        parameters_(parameters) {}

  /// Sets the module that the next parameters belong to.
  void begin(const std::string& module) { module_ = module; }

  Var add(const std::string& name, const Shape& shape, const Initial& initial) {
    Parameter& p = parameters_.emplace_back(Parameter{name, module_, {}, initial});
    p.variable.value = lasting_.tensor(shape);
    p.variable.lasting = true;
    if (rounded_ != Dtype::kFloat32) p.variable.rounded = lasting_.tensor(shape, rounded_);
    return &p.variable;
  }

  Linear linear(const std::string& name, std::int64_t in, std::int64_t out) {
    const Initial initial = uniform(1.0 / std::sqrt(static_cast<double>(in)));
    return {add(name + ".weight", {out, in}, initial), add(name + ".bias", {out}, initial)};
  }

  LayerNorm norm(const std::string& name) {
    const Shape shape{config_.hidden};
    return {add(name + ".weight", shape, kOnes), add(name + ".bias", shape, kZeros)};
  }

  /// The projections of PyTorch's MultiheadAttention: to queries, keys and values, and of the
  /// output.
  std::pair<Linear, Linear> attention(const std::string& name) {
    const std::int64_t d = config_.hidden;
    const Initial xavier = uniform(std::sqrt(6.0 / static_cast<double>(3 * d + d)));
    const Initial plain = uniform(1.0 / std::sqrt(static_cast<double>(d)));
    return {
        {add(name + ".in_proj_weight", {3 * d, d}, xavier),
         add(name + ".in_proj_bias", {3 * d}, kZeros)},
        {add(name + ".out_proj.weight", {d, d}, plain), add(name + ".out_proj.bias", {d}, kZeros)}};
  }

  Projector projector(const std::string& name, std::int64_t in) {
    begin(name);
    return {name, linear(name + ".linear", in, config_.hidden), norm(name + ".norm")};
  }

  AttentionBlock block(const std::string& name, const std::string& kind, bool with_ffn) {
    begin(name);
    const auto [in, out] = attention(name + "." + kind);
    if (!with_ffn) return {name, in, out, {}, {}, {}};
    const Linear f1 = linear(name + ".ffn.0", config_.hidden, config_.feed_forward);
    const Linear f2 = linear(name + ".ffn.3", config_.feed_forward, config_.hidden);
    return {name,
            in,
            out,
            {f1.weight, f1.bias, f2.weight, f2.bias},
            norm(name + ".norm1"),
            norm(name + ".norm2")};
  }

  std::vector<AttentionBlock> layers(const std::string& name, std::int64_t count) {
    std::vector<AttentionBlock> out;
    for (std::int64_t i = 0; i < count; ++i) {
      out.push_back(block(name + "." + std::to_string(i), "self_attn", true));
    }
    return out;
  }

  Pooling query(const std::string& name) {
    return {name, {add(name + "_query", {1, 1, config_.hidden}, kNormal), nullptr, nullptr}, {}};
  }

  void projections(Pooling& pooling) {
    const auto [in, out] = attention(pooling.name + "_attn");
    pooling.attention.in_proj_weight = in.weight;
    pooling.attention.in_proj_bias = in.bias;
    pooling.out = out;
  }

 private:
  const CdtConfig& config_;
  Dtype rounded_;  // type of the copies for products, if not float32
  Arena& lasting_;
  std::deque<Parameter>& parameters_;
  std::string module_;
};

constexpr std::uint32_t kInitStream = 0x10000;

std::vector<float> draw(const Initial& initial, std::int64_t count, RandomStream random) {
  std::vector<float> values(static_cast<std::size_t>(count), static_cast<float>(initial.value));
  if (initial.kind == Initial::kNormal) {
    for (float& v : values) v = static_cast<float>(random.normal());
  } else if (initial.kind == Initial::kUniform) {
    for (float& v : values) v = static_cast<float>((2.0 * random.uniform() - 1.0) * initial.value);
  }
  return values;
}

}  // namespace

CdtParameters::CdtParameters(const CdtConfig& config, Backend& backend, Arena& lasting,
                             bool trainable)
    : config_(config), backend_(backend) {
  const std::string problem = config_problem(config);
  CDT_CHECK(problem.empty(), "model configuration: " + problem);
  const bool released = config.variant == Variant::kReleased;
  const std::int64_t d = config.hidden;
  Builder build(config_, backend, lasting, parameters_);
  dna.projector = build.projector("dna_projector", config.dna_dim);
  rna.projector = build.projector("rna_projector", config.rna_dim);
  protein.projector = build.projector("protein_projector", config.protein_dim);
  dna.layers = build.layers("dna_self_attn_layers", config.dna_layers);
  rna.layers = build.layers("rna_self_attn_layers", config.rna_layers);
  protein.layers = build.layers("protein_self_attn_layers", config.protein_layers);
  dna_to_rna = build.block("dna_to_rna", "cross_attn", released);
  rna_to_protein = build.block("rna_to_protein", "cross_attn", released);
  build.begin("vce");
  dna.pooling = build.query("vce.dna");
  rna.pooling = build.query("vce.rna");
  protein.pooling = build.query("vce.protein");
  if (released) {
    for (Modality* m : {&dna, &rna, &protein}) build.projections(m->pooling);
  }
  head.fusion1 = build.linear("vce.fusion.0", 3 * d, config.fusion);
  head.fusion2 = build.linear(released ? "vce.fusion.3" : "vce.fusion.2", config.fusion, d);
  if (released) head.norm = build.norm("vce.fusion.4");
  build.begin("task_layer");
  if (config.readout == Readout::kGene) {
    head.hidden = build.linear("task_layer.0", 3 * d, d);
    head.last = build.linear("task_layer.3", d, 1);
  } else {
    if (released) head.hidden = build.linear("task_layer.0", d, d);
    head.last = build.linear(released ? "task_layer.3" : "task_layer", d, config.genes);
  }
  if (config.bin_position) {
    build.begin("bin_position");
    bin_position = build.linear("bin_position", kBinFeatures, d);
  }
  if (config.gene_position) {
    build.begin("gene_position");
    gene_position = build.linear("gene_position", kGeneFeatures, d);
  }
  if (trainable) make_trainable(lasting);
}

// All gradients are in one contiguous range, so that zeroing them is one fill.
void CdtParameters::make_trainable(Arena& lasting, const std::set<std::string>& frozen) {
  constexpr std::int64_t kAlign = 32;  // floats: gradients are aligned like an arena's tensors
  const auto padded = [](std::int64_t n) { return ceil_div(n, kAlign) * kAlign; };
  std::int64_t total = 0;
  for (Parameter& p : parameters_) {
    p.variable.needs_grad = frozen.count(p.name) == 0;
    if (p.variable.needs_grad) total += padded(p.variable.value.count());
  }
  CDT_CHECK(total > 0, "there is nothing to train");
  gradients_ = lasting.tensor({total});
  std::int64_t offset = 0;
  for (Parameter& p : parameters_) {
    if (!p.variable.needs_grad) continue;
    p.variable.grad = {gradients_.at(offset), p.variable.value.shape};
    offset += padded(p.variable.value.count());
  }
}

Parameter& CdtParameters::parameter(const std::string& name) {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [&](const Parameter& p) { return p.name == name; });
  CDT_CHECK(found != parameters_.end(), "the model has no parameter " + name);
  return *found;
}

std::vector<Var> CdtParameters::variables() {
  std::vector<Var> out;
  for (Parameter& p : parameters_) {
    if (p.trained()) out.push_back(&p.variable);
  }
  return out;
}

std::int64_t CdtParameters::parameter_count() const {
  std::int64_t n = 0;
  for (const Parameter& p : parameters_) n += p.variable.value.count();
  return n;
}

std::int64_t CdtParameters::trained_count() const {
  std::int64_t n = 0;
  for (const Parameter& p : parameters_) n += p.trained() ? p.variable.value.count() : 0;
  return n;
}

bool CdtParameters::frozen() const {
  return std::none_of(parameters_.begin(), parameters_.end(),
                      [](const Parameter& p) { return p.variable.needs_grad; });
}

void CdtParameters::set(Var parameter, const float* values) {
  backend_.upload(parameter->value, values);
  if (!parameter->rounded.empty()) backend_.cast(parameter->rounded, parameter->value);
}

void CdtParameters::initialise(std::uint64_t seed) {
  std::uint32_t stream = kInitStream;  // one per parameter
  for (Parameter& p : parameters_) {
    const std::int64_t count = p.variable.value.count();
    set(&p.variable, draw(p.initial, count, RandomStream(seed, stream++)).data());
  }
}

void CdtParameters::freeze() {
  for (Parameter& p : parameters_) {
    p.variable.needs_grad = false;
    p.variable.grad = {};
  }
  gradients_ = {};
}

void CdtParameters::zero_gradients() {
  if (!gradients_.empty()) backend_.fill(gradients_, 0.0F);
}

}  // namespace cdt
