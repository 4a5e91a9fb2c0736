// One model fixture loaded into an engine, and the comparisons that the tests share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/cdt.h"
#include "model/explain/explainer.h"
#include "tests/parity/compare.h"
#include "tests/parity/fixture.h"
#include "tests/support/gene_window_data.h"

namespace cdt::test {

/// The models of record_fixtures.py.
inline constexpr const char* kModels[] = {"released",     "deep",      "paper",      "single",
                                          "gene_readout", "positions", "gene_window"};

/// A part of a parameter that is compared separately: a third of a packed in_proj.
struct Piece {
  std::string label;  // "dna_to_rna.cross_attn.in_proj_bias[key]"
  std::size_t begin = 0, end = 0;
  /// The largest gradient norm in the module, if this gradient vanishes in exact arithmetic and is
  /// rounding noise (key biases; queries and keys if there is only one key); otherwise 0.
  double noise_scale = 0.0;

  std::vector<float> of(const std::vector<float>& whole) const;
};

class ModelCase {
 public:
  /// Builds the model with the fixture's configuration and weights.
  explicit ModelCase(const std::string& name);

  std::int64_t batch() const { return dna.shape[0]; }
  /// Target genes and effects of one of the ten steps.
  std::vector<std::int32_t> genes(std::int64_t step) const;
  Tensor betas(std::int64_t step);
  Tensor index(const std::vector<std::int32_t>& genes);

  /// windows: of the genes, instead of the fixture's as a constant.
  Var forward(Var dna_input, Recorder* recorder = nullptr, Var windows = nullptr);
  /// Predictions (B) of one gene of each sample, as a training step computes them.
  Var forward_pairs(Var dna_input, const std::vector<std::int32_t>& targets);
  /// Mean Huber loss, delta 1, of predictions (B) or of those of `targets` among (B, G).
  Var loss(Var predictions, std::int64_t step);
  Var loss(Var logits, const std::vector<std::int32_t>& targets, std::int64_t step);
  /// The trunks of all samples, in eval mode.
  Trunks trunks();
  /// Attribution of sample b: with gene positions, the explainer must be told of each. With gene
  /// windows, it reads them at the first call.
  void place(Explainer& explainer, std::int64_t sample);

  /// Intermediates and attention maps in forward order. `all`: each recorded one must exist;
  /// otherwise only those that do are compared. RNA and protein trunks are recorded once; if the
  /// engine holds them per sample, each sample must agree.
  void check_values(const Recorder& recorder, bool all, Comparison& c);
  void check_maps(const Recorder& recorder, bool all, Comparison& c);
  /// Parameter gradients, last layer first.
  void check_gradients(Comparison& c);
  std::vector<Piece> pieces_of(const Parameter& parameter) const;
  /// The norm of `count` predictions of typical size. In reduced precision their error is relative
  /// to it, even if the compared ones happen to be small; in float32 it is 0, which excuses
  /// nothing.
  double prediction_scale(std::int64_t count) const;

  Fixture fixture;
  Engine engine;
  Cdt model;
  Tensor dna;           // (B, L, dna_dim)
  Tensor rna, protein;  // (1, G, ..)
  Tensor places;        // (B, G, kGeneFeatures), or empty
  Tensor gene_dna;      // (G, L, dna_dim), or empty

 private:
  void check_samples(const std::string& name, const Tensor& got, const std::string& wanted,
                     Comparison& c);
  double gradient_scale(const std::string& module) const;
  std::vector<std::int32_t> all_genes() const;

  std::optional<GeneWindowData> gene_windows_;
  const Explainer* told_ = nullptr;  // the explainer that has read the windows of genes
};

}  // namespace cdt::test
