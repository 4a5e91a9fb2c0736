// A trained model ready to be explained (section 2.7; docs/paper-vs-code.md): frozen, in evaluation
// mode, with everything computed that does not depend on the enhancer. Every method of attribution
// runs its forward passes through it, one at a time, on its tape.
//
// Gradients stop at the output of the DNA projector's linear map,
//   z (L, D) = x W^T + b.
// A change dx of the input changes z by dx W^T, so inner products with dx need no dna_dim wide
// gradient: g_x . dx = g_z . dz, bin by bin. Norms at the input, g_x = W^T g_z, need only the Gram
// matrix W W^T.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/tape.h"
#include "model/cdt.h"

namespace cdt {

class Explainer {
 public:
  /// Freezes the model and computes its trunks; all must outlive this. rna (1, G, rna_dim), protein
  /// (1, G, protein_dim).
  Explainer(Cdt& model, Tape& tape, const Tensor& rna, const Tensor& protein, Arena& lasting);
  Explainer(const Explainer&) = delete;
  Explainer& operator=(const Explainer&) = delete;

  const Cdt& model() const { return model_; }
  const CdtConfig& config() const { return model_.config(); }
  const Tensor& rna() const { return rna_; }
  const Tensor& protein() const { return protein_; }
  const Trunks& trunks() const { return trunks_; }
  Backend& backend() { return tape_.backend(); }
  Arena& scratch() { return tape_.scratch(); }

  /// z (L, D) of dna (1, L, dna_dim), a tensor on the device outside the tape's step arena.
  std::vector<float> project(const Tensor& dna);
  /// (B, G): the predictions of a batch of windows, z (B, L, D).
  std::vector<float> predict(std::span<const float> z, std::int64_t batch = 1);
  /// The z (L, D) of an input that is zero in all bins: the bias in every row.
  std::vector<float> zero_projection(std::int64_t bins);

  /// out(B L): L2 norm over features of the gradient at the DNA input, from gradient (B, L, D) at
  /// z, of the type of activations or float32.
  void input_norms(const Tensor& gradient, const Tensor& out);
  std::vector<float> input_norms(const Tensor& gradient);
  /// out(L, D): W W^T g of every bin, so that g' . out is the inner product of two gradients at the
  /// input, g' and g at z.
  void input_metric(const Tensor& gradient, const Tensor& out);

  /// The Recorder's name of the DNA sequence that dna_to_rna and DNA pooling attend to.
  const std::string& context_name() const;
  /// A gene's rows (H, L) of the dna_to_rna attention map, from that sequence, context (1, L, D).
  /// Neither the map nor the keys are formed: the scores of head h are x (W_k,h^T q_h) / sqrt(K) up
  /// to a constant per row, which the softmax ignores.
  std::vector<float> attention_rows(const Tensor& context, std::int32_t gene);
  /// out (B, H, L): of a batch, context (B, L, D), from each sample's row of the trunks'
  /// rna_queries, queries (B, D).
  void attention_rows(const Tensor& context, const Tensor& queries, const Tensor& out);

 private:
  friend class EvalTape;

  Cdt& model_;
  Tape& tape_;
  bool tape_in_use_ = false;
  Tensor rna_, protein_;
  Trunks trunks_;
  Tensor weight_;  // (D, dna_dim) of the linear map
  Tensor gram_;    // (D, D), or empty where the input is no wider than D: W^T g is cheaper then
};

/// The tape of an explainer for one forward pass: in eval mode, empty at first and emptied at the
/// end. Error if another pass is still alive.
class EvalTape {
 public:
  explicit EvalTape(Explainer& explainer);
  ~EvalTape();
  EvalTape(const EvalTape&) = delete;
  EvalTape& operator=(const EvalTape&) = delete;
  Tape& operator*() const { return explainer_.tape_; }
  Tape* operator->() const { return &explainer_.tape_; }

  /// z (B, L, D) from the host, in float32; the model rounds it to the type of activations.
  Tensor upload(std::span<const float> z, std::int64_t batch = 1) const;
  /// Adds d prediction of the gene / d values to their gradients, prediction (1, G); may be
  /// repeated for other genes, after Tape::reset_gradients().
  void backward(Var prediction, std::int32_t gene) const;

 private:
  Explainer& explainer_;
};

/// Mean over heads of values (H, ...).
std::vector<float> mean_over_heads(std::span<const float> values, std::int64_t heads);

/// Are all of them 0?
bool all_zero(std::span<const float> values);

/// Inner product in float64.
double inner(std::span<const float> a, std::span<const float> b);
/// L2 norms of the rows (R) of a float32 tensor (R, C) on the device.
std::vector<float> row_norms(Backend& backend, Arena& scratch, const Tensor& rows);
/// Row-wise inner products a . (b - from) in float64: (rows) from three (rows, D).
std::vector<float> row_products(std::span<const float> a, std::span<const float> b,
                                std::span<const float> from, std::int64_t rows);

}  // namespace cdt
