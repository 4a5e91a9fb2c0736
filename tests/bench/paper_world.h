// The model at the sizes of the paper, or smaller ones, with random weights and inputs: the input
// of the measuring programs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apps/common/cli.h"
#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/tape.h"
#include "model/cdt.h"

namespace cdt {

struct PaperSizes {
  std::int64_t batch = 8, bins = 896, genes = 2360, hidden = 768, heads = 8;
  std::int64_t dna_dim = 3072, rna_dim = 512, protein_dim = 768;
  Readout readout = Readout::kColumn;
};

/// --batch, --bins, --genes, --hidden and so on.
void add_sizes(Cli* cli, PaperSizes* sizes);
/// The released model with these sizes and this readout. InputError if they do not fit together.
CdtConfig config_of(const PaperSizes& sizes);
/// "batch": 8, "bins": 896, ...
std::string sizes_as_json(const PaperSizes& sizes);

struct PaperWorld {
  PaperWorld(std::unique_ptr<Backend> on, const PaperSizes& sizes, bool trainable);

  /// A lasting tensor of uniform random numbers in [-0.5, 0.5).
  Tensor random(const Shape& shape);

  std::unique_ptr<Backend> backend;
  Arena lasting, step, scratch;
  PaperSizes sizes;
  Cdt model;
  Tape tape;
  Tensor rna, protein;

 private:
  std::vector<float> draw(std::int64_t count, float scale);
  /// Weights with the initial magnitudes of training, much cheaper than drawing each one.
  void fill(Parameter& parameter);

  std::size_t drawn_ = 0;  // where in random_numbers() the next tensor begins
};

}  // namespace cdt
