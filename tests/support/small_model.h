// A small untrained model with random inputs, for tests of attribution.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "engine/random.h"
#include "model/explain/attribution.h"
#include "tests/support/test_backend.h"

namespace cdt::test {

inline constexpr std::int64_t kBins = 11;

inline CdtConfig small_config(Variant variant, std::int64_t dna_dim, std::int64_t dna_layers) {
  CdtConfig c;
  c.variant = variant;
  c.dna_dim = dna_dim;
  c.rna_dim = 5;
  c.protein_dim = 7;
  c.genes = 6;
  c.hidden = 12;
  c.heads = 3;
  c.pool_heads = 2;
  c.feed_forward = 17;
  c.fusion = 10;
  c.dna_layers = dna_layers;
  return c;
}

/// The model variants that attribution must support.
struct ModelCase {
  const char* name;
  Variant variant;
  std::int64_t dna_dim, dna_layers;
  Readout readout = Readout::kColumn;
  CdtConfig config() const {
    CdtConfig c = small_config(variant, dna_dim, dna_layers);
    c.readout = readout;
    return c;
  }
};
inline auto model_cases() {
  return testing::Values(ModelCase{"WideInput", Variant::kReleased, 29, 2},
                         ModelCase{"NarrowInput", Variant::kReleased, 9, 1},
                         ModelCase{"NoDnaLayers", Variant::kReleased, 29, 0},
                         ModelCase{"Paper", Variant::kPaper, 29, 2},
                         ModelCase{"GeneReadout", Variant::kReleased, 29, 2, Readout::kGene});
}

/// Standard normal numbers, different for each stream.
inline std::vector<float> draws(const Shape& shape, std::uint32_t stream) {
  RandomStream random(17, stream);
  std::vector<float> host(static_cast<std::size_t>(shape.count()));
  for (float& v : host) v = static_cast<float>(random.normal());
  return host;
}

inline Tensor random_tensor(Backend& backend, Arena& arena, const Shape& shape,
                            std::uint32_t stream) {
  const Tensor t = arena.tensor(shape);
  backend.upload(t, draws(shape, stream).data());
  return t;
}

/// A small untrained model with its inputs.
struct SmallModel {
  explicit SmallModel(const CdtConfig& c, std::unique_ptr<Backend> on = make_test_backend())
      : backend(std::move(on)),
        config(c),
        lasting(*backend, "lasting"),
        step(*backend, "step"),
        scratch(*backend, "scratch"),
        model(c, *backend, lasting, false),
        tape(*backend, step, scratch),
        dna(random_tensor({1, kBins, c.dna_dim}, 1)),
        rna(random_tensor({1, c.genes, c.rna_dim}, 2)),
        protein(random_tensor({1, c.genes, c.protein_dim}, 3)) {
    model.initialise(5);
    // Default biases of attention are zero; the row without keys must also be right for other
    // values.
    randomise(model.parameter("dna_to_rna.cross_attn.in_proj_bias"), 4);
    model.freeze();
    tape.eval();
  }

  Tensor random_tensor(const Shape& shape, std::uint32_t stream) {
    return test::random_tensor(*backend, lasting, shape, stream);
  }

  void randomise(Parameter& parameter, std::uint32_t stream) {
    model.set(&parameter.variable, draws(parameter.variable.value.shape, stream).data());
  }

  std::vector<PairWindows> attribute(const std::vector<std::int32_t>& genes) {
    Explainer explainer(model, tape, rna, protein, lasting);
    std::vector<PairWindows> out;
    cdt::attribute(explainer, explainer.project(dna), genes, true,
                   [&](std::size_t index, const PairWindows& windows) {
                     EXPECT_EQ(index, out.size());
                     out.push_back(windows);
                   });
    return out;
  }

  /// Prediction for a gene by the plain forward pass.
  double predict(std::int32_t gene) {
    tape.clear();
    return to_host(*backend, forward(tape.constant(dna))->value)[static_cast<std::size_t>(gene)];
  }

  /// The plain forward pass.
  Var forward(Var input, Recorder* recorder = nullptr) {
    return model.forward({.tape = tape,
                          .dna = input,
                          .rna = tape.constant(rna),
                          .protein = tape.constant(protein),
                          .recorder = recorder});
  }

  std::unique_ptr<Backend> backend;
  CdtConfig config;
  Arena lasting, step, scratch;
  Cdt model;
  Tape tape;
  Tensor dna, rna, protein;
};

}  // namespace cdt::test
