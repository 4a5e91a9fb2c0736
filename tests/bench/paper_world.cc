#include "tests/bench/paper_world.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/error.h"
#include "tests/bench/random_numbers.h"

namespace cdt {
namespace {

struct Size {
  const char* name;
  std::int64_t PaperSizes::*value;
  const char* help;
};
constexpr Size kSizes[] = {
    {"batch", &PaperSizes::batch, "samples per training step and per prediction pass"},
    {"bins", &PaperSizes::bins, "DNA bins"},
    {"genes", &PaperSizes::genes, "genes"},
    {"hidden", &PaperSizes::hidden, "hidden size, a multiple of the heads"},
    {"heads", &PaperSizes::heads, "attention heads, a multiple of 2; pooling has half as many"},
    {"dna-dim", &PaperSizes::dna_dim, "width of the DNA input"},
    {"rna-dim", &PaperSizes::rna_dim, "width of the RNA input"},
    {"protein-dim", &PaperSizes::protein_dim, "width of the protein input"}};
constexpr double kMostOfASize = 1e5;

}  // namespace

void add_sizes(Cli* cli, PaperSizes* sizes) {
  for (const Size& size : kSizes) {
    cli->number(size.name, &(sizes->*size.value), 1, kMostOfASize, size.help);
  }
}

CdtConfig config_of(const PaperSizes& sizes) {
  if (sizes.heads % 2 != 0 || sizes.hidden % sizes.heads != 0) {
    throw InputError(
        "command line", "--hidden",
        expected_got("not a multiple of the heads, or these are not even", "such as 768 and 8",
                     std::to_string(sizes.hidden) + " and " + std::to_string(sizes.heads)));
  }
  CdtConfig config;
  config.genes = sizes.genes;
  config.readout = sizes.readout;
  config.hidden = sizes.hidden;
  config.heads = sizes.heads;
  config.pool_heads = sizes.heads / 2;
  config.feed_forward = 4 * sizes.hidden;
  config.fusion = 2 * sizes.hidden;
  config.dna_dim = sizes.dna_dim;
  config.rna_dim = sizes.rna_dim;
  config.protein_dim = sizes.protein_dim;
  return config;
}

std::string sizes_as_json(const PaperSizes& sizes) {
  std::string text;
  for (const Size& size : kSizes) {
    std::string name = size.name;
    std::replace(name.begin(), name.end(), '-', '_');
    text += (text.empty() ? "\"" : ", \"") + name + "\": " + std::to_string(sizes.*size.value);
  }
  return text;
}

PaperWorld::PaperWorld(std::unique_ptr<Backend> on, const PaperSizes& s, bool trainable)
    : backend(std::move(on)),
      lasting(*backend, "lasting"),
      step(*backend, "step"),
      scratch(*backend, "scratch"),
      sizes(s),
      model(config_of(s), *backend, lasting, trainable),
      tape(*backend, step, scratch) {
  for (Parameter& parameter : model.parameters()) fill(parameter);
  rna = random({1, s.genes, s.rna_dim});
  protein = random({1, s.genes, s.protein_dim});
}

std::vector<float> PaperWorld::draw(std::int64_t count, float scale) {
  const std::vector<float>& numbers = random_numbers();
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& v : values) {
    v = scale * numbers[drawn_];
    if (++drawn_ == numbers.size()) drawn_ = 0;
  }
  return values;
}

Tensor PaperWorld::random(const Shape& shape) {
  const Tensor t = lasting.tensor(shape);
  backend->upload(t, draw(shape.count(), 1.0F).data());
  return t;
}

void PaperWorld::fill(Parameter& parameter) {
  const Shape& shape = parameter.variable.value.shape;
  const std::string& name = parameter.name;
  const std::int64_t count = shape.count();
  if (shape.rank() == 1 && name.ends_with(".weight")) {  // of a layer norm
    model.set(&parameter.variable,
              std::vector<float>(static_cast<std::size_t>(count), 1.0F).data());
    return;
  }
  // Matrices and biases uniform within 1 / sqrt(inputs), queries of unit variance.
  const float scale =
      shape.rank() == 3 ? std::sqrt(12.0F) : 2.0F / std::sqrt(static_cast<float>(shape[-1]));
  model.set(&parameter.variable, draw(count, scale).data());
}

}  // namespace cdt
