#include "model/torch_initial.h"

#include <cstddef>
#include <deque>
#include <vector>

namespace cdt {
namespace {

/// The values that a module draws for one of its tensors. A bias of nn.MultiheadAttention is drawn
/// but then set to zero.
struct Draw {
  Parameter* parameter = nullptr;
  Initial initial;

  std::size_t count() const { return static_cast<std::size_t>(parameter->variable.value.count()); }
  bool kept() const { return parameter->initial.kind != Initial::kConstant; }
};

/// Returns the draws in the order in which PyTorch makes them. PyTorch computes its bounds in other
/// float64 steps; in float32, in which it draws, they are equal for every size up to 10^6.
std::vector<Draw> draws_of(CdtParameters& model) {
  std::deque<Parameter>& all = model.parameters();
  std::vector<Draw> draws;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name.ends_with(".in_proj_weight")) {
      const Initial out = all.at(i + 2).initial;  // out_proj.weight
      draws.push_back({&all.at(i + 2), out});
      draws.push_back({&all.at(i + 3), out});
      draws.push_back({&all[i], all[i].initial});
      i += 3;
    } else if (all[i].initial.kind != Initial::kConstant) {
      draws.push_back({&all[i], all[i].initial});
    }
  }
  return draws;
}

std::vector<float> values_of(const Draw& draw, TorchGenerator* random) {
  std::vector<float> values(draw.count());
  if (draw.initial.kind == Initial::kNormal) {
    random->normal(values);
  } else {
    random->uniform(draw.initial.value, values);
  }
  return values;
}

}  // namespace

void initialise_as_torch(std::uint64_t seed, CdtParameters& model) {
  for (Parameter& p : model.parameters()) {
    if (p.initial.kind != Initial::kConstant) continue;
    const auto count = static_cast<std::size_t>(p.variable.value.count());
    const std::vector<float> constant(count, static_cast<float>(p.initial.value));
    model.set(&p.variable, constant.data());
  }
  TorchGenerator random(seed);
  for (const Draw& draw : draws_of(model)) {
    const std::vector<float> values = values_of(draw, &random);
    if (draw.kept()) model.set(&draw.parameter->variable, values.data());
  }
}

TorchGenerator torch_after_construction(std::uint64_t seed, CdtParameters& model) {
  TorchGenerator random(seed);
  for (const Draw& draw : draws_of(model)) {
    if (draw.initial.kind == Initial::kUniform) {
      random.skip(draw.count());
    } else {
      values_of(draw, &random);
    }
  }
  return random;
}

}  // namespace cdt
