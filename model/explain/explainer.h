// A trained model prepared for attribution (section 2.7; docs/paper-vs-code.md): frozen, in eval
// mode, with everything precomputed that does not depend on the enhancer. Every attribution method
// runs its forward passes through it, one at a time, on its tape.
//
// A change dx of the input changes z by dx W^T, so inner products with dx need no gradient of width
// dna_dim: g_x . dx = g_z . dz, bin by bin. Norms at the input, g_x = W^T g_z, need only the Gram
// matrix W W^T.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/tape.h"
#include "model/cdt.h"
#include "model/dna_feed.h"

namespace cdt {

class Explainer {
 public:
  /// Freezes the model and computes its trunks; all references must outlive this. rna (1, G,
  /// rna_dim), of a sample, and protein (1, G, protein_dim).
  Explainer(Cdt& model, Tape& tape, const Tensor& rna, const Tensor& protein, Arena& lasting);
  Explainer(const Explainer&) = delete;
  Explainer& operator=(const Explainer&) = delete;

  const Cdt& model() const { return model_; }
  const CdtConfig& config() const { return model_.config(); }
  const Tensor& rna() const { return rna_; }
  const Tensor& protein() const { return protein_; }
  /// Replaces the RNA, in rna() and in the trunks, by that of another sample: (1, G, rna_dim). With
  /// gene positions place_genes() must follow.
  void use_rna(std::span<const float> values);
  /// Only, and first, for a model with gene positions: tells where the genes start relative to the
  /// enhancer that the next passes explain. features (1, G, kGeneFeatures), lasting.
  void place_genes(const Tensor& features);
  /// Only, and first, for a model with gene windows: reads those of `genes`, the only ones that may
  /// be explained. `windows`, of genes, must outlive this. after_batch() is called between batches.
  void read_gene_windows(
      DnaFeed& windows, const std::vector<std::int32_t>& genes,
      const std::function<void()>& after_batch = [] {});
  /// The window of a gene (1, L, dna_dim) on the device, until the next call; empty without gene
  /// windows.
  Tensor gene_window(std::int32_t gene);
  /// The trunks of the passes; with gene positions, those of the enhancer.
  const Trunks& trunks() const { return placed_ ? *placed_ : trunks_; }
  /// The features of place_genes() as a constant of the running pass; null without any.
  Var gene_position() { return placed_ ? tape_.constant(places_) : nullptr; }
  Backend& backend() { return tape_.backend(); }
  Arena& scratch() { return tape_.scratch(); }

  /// Returns z (L, D) of dna (1, L, dna_dim), a device tensor outside the tape's step arena.
  std::vector<float> project(const Tensor& dna);
  /// Returns (B, G): the predictions of a batch of windows, z (B, L, D).
  std::vector<float> predict(std::span<const float> z, std::int64_t batch = 1);
  /// Returns z (L, D) of an input that is zero in all bins: the bias in every row.
  std::vector<float> zero_projection(std::int64_t bins);

  /// out(B L) = L2 norm over features of the gradient at the DNA input. gradient (B, L, D) is at z,
  /// in the type of activations or float32.
  void input_norms(const Tensor& gradient, const Tensor& out);
  std::vector<float> input_norms(const Tensor& gradient);
  /// out(L, D) = W W^T g for every bin. For two gradients g and g' at z, g' . out is then their
  /// inner product at the input.
  void input_metric(const Tensor& gradient, const Tensor& out);

  /// The Recorder name of the DNA sequence that dna_to_rna and DNA pooling attend to.
  const std::string& context_name() const;
  /// Returns a gene's rows (H, L) of the dna_to_rna attention map, computed from that sequence,
  /// context (1, L, D). Neither the full map nor the keys are formed: the scores of head h are x
  /// (W_k,h^T q_h) / sqrt(K) up to a constant per row, which the softmax ignores.
  std::vector<float> attention_rows(const Tensor& context, std::int32_t gene);
  /// Computes out (B, H, L) for a batch: context (B, L, D), and as queries (B, D) each sample's row
  /// of the trunks' rna_queries.
  void attention_rows(const Tensor& context, const Tensor& queries, const Tensor& out);

 private:
  friend class EvalTape;

  Cdt& model_;
  Tape& tape_;
  bool tape_in_use_ = false;
  Tensor rna_, protein_;
  Trunks trunks_;
  std::optional<Trunks> placed_;  // in lasting_
  Tensor places_;                 // (1, G, kGeneFeatures)
  DnaFeed* gene_feed_ = nullptr;  // only with gene windows
  Arena& lasting_;
  Tensor weight_;  // (D, dna_dim), of the linear map
  Tensor gram_;    // (D, D), or empty if the input is no wider than D: W^T g is then cheaper
};

/// The explainer's tape for one forward pass: in eval mode, cleared at the start and at the end.
/// Throws Error if another pass is still alive.
class EvalTape {
 public:
  explicit EvalTape(Explainer& explainer);
  ~EvalTape();
  EvalTape(const EvalTape&) = delete;
  EvalTape& operator=(const EvalTape&) = delete;
  Tape& operator*() const { return explainer_.tape_; }
  Tape* operator->() const { return &explainer_.tape_; }

  /// Uploads z (B, L, D) in float32; the model rounds it to the type of activations.
  Tensor upload(std::span<const float> z, std::int64_t batch = 1) const;
  /// Runs a backward pass from one gene's prediction, prediction (1, G). Can be repeated for other
  /// genes after Tape::reset_gradients().
  void backward(Var prediction, std::int32_t gene) const;

 private:
  Explainer& explainer_;
};

/// Returns the mean over heads of values (H, ...).
std::vector<float> mean_over_heads(std::span<const float> values, std::int64_t heads);

/// True if all values are 0.
bool all_zero(std::span<const float> values);

/// Inner product in float64.
double inner(std::span<const float> a, std::span<const float> b);
/// L2 norms of the rows (R) of a float32 tensor (R, C) on the device.
std::vector<float> row_norms(Backend& backend, Arena& scratch, const Tensor& rows);
/// Row-wise inner products a . (b - from) in float64; the arguments are (rows, D), the result
/// (rows).
std::vector<float> row_products(std::span<const float> a, std::span<const float> b,
                                std::span<const float> from, std::int64_t rows);

}  // namespace cdt
