// What drives a prediction: attention and gradient windows over the DNA bins (section 2.7;
// docs/paper-vs-code.md). Evaluation mode. Everything that does not depend on the enhancer is
// computed once, one forward pass serves all genes of an enhancer, and each gene costs one backward
// pass that stops below the DNA projector; above D genes, D passes serve all
// (model/explain/many_genes.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/tape.h"
#include "model/cdt.h"
#include "model/explain/gradient_pass.h"
#include "model/explain/input_gradient.h"
#include "model/explain/many_genes.h"

namespace cdt {

/// Mean over heads of values (H, ...).
std::vector<float> mean_over_heads(std::span<const float> values, std::int64_t heads);

/// The Recorder's name of the DNA sequence that dna_to_rna attends to.
std::string dna_context_name(const CdtConfig& config);

/// Rows of the dna_to_rna attention map (H, G, L) for chosen genes, without the map: the scores of
/// head h are x (W_k,h^T q_h) / sqrt(K) up to a constant per row, which the softmax ignores, so not
/// even the keys are needed.
class CrossAttentionRow {
 public:
  /// in_proj_weight (3D, D) of dna_to_rna; queries (1, G, D) projected, biased. Both must outlive
  /// this.
  CrossAttentionRow(Backend& backend, const Tensor& in_proj_weight, const Tensor& queries,
                    std::int64_t heads, Arena& scratch);

  /// The gene's rows (H, L) from the DNA sequence x (1, L, D) the block attends to.
  std::vector<float> heads(const Tensor& x, std::int32_t gene);
  /// Their mean (L).
  std::vector<float> mean_over_heads(const Tensor& x, std::int32_t gene);

 private:
  Backend& backend_;
  Arena& scratch_;
  Tensor key_weight_;  // (D, D)
  Tensor queries_;     // (1, G, D)
  std::int64_t heads_;
};

/// The windows of one enhancer-gene pair, L scores each.
struct PairWindows {
  float prediction = 0;
  std::vector<float> attention;         // sums to 1
  std::vector<float> gradient;          // L2 norm over features of d prediction / d DNA input
  std::vector<float> gradient_x_input;  // their inner product by bin, signed; or empty: not wanted
};

class Attributor {
 public:
  /// Freezes the model and computes its trunks. rna (1, G, rna_dim), protein (1, G, protein_dim).
  Attributor(Cdt& model, Tape& tape, const Tensor& rna, const Tensor& protein, Arena& lasting);

  /// Receives the windows of genes[index].
  using Receiver = std::function<void(std::size_t index, const PairWindows& windows)>;
  /// Windows of each gene for one enhancer, in order, dna (1, L, dna_dim) on the device outside the
  /// tape's step arena, which is cleared. They do not depend on which other genes are asked for,
  /// but that with more than D of them the gradients are summed in another order.
  void attribute(const Tensor& dna, const std::vector<std::int32_t>& genes,
                 const Receiver& receiver);

  /// Fill PairWindows::gradient_x_input too? Off at first.
  void want_gradient_x_input(bool wanted) { wants_gradient_x_input_ = wanted; }

  const Trunks& trunks() const { return trunks_; }
  CrossAttentionRow& row() { return row_; }
  GradientPass& pass() { return pass_; }
  InputGradientNorm& norm() { return norm_; }

 private:
  Cdt& model_;
  Tape& tape_;
  Trunks trunks_;
  InputGradientNorm norm_;
  CrossAttentionRow row_;
  GradientPass pass_;
  std::optional<ManyGenes> many_;
  bool wants_gradient_x_input_ = false;
};

}  // namespace cdt
