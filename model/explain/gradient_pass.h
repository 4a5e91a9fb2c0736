// One forward pass of an enhancer and the gradients of any genes' predictions from it: the common
// part of the gradient methods. No gradient reaches weights or the RNA and protein trunks, and
// gradients stop at z (model/explain/explainer.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/backend.h"
#include "engine/tape.h"
#include "model/cdt.h"
#include "model/explain/explainer.h"

namespace cdt {

/// Occupies the explainer's tape for its lifetime.
class GradientPass {
 public:
  /// Runs the forward pass from z (L, D), which the model rounds to the type of activations.
  /// recorder: as for the model; if it records cores, cross_head_gradients() can be called.
  GradientPass(Explainer& explainer, std::span<const float> z, Recorder* recorder = nullptr);

  Explainer& explainer() const { return explainer_; }
  /// One prediction per gene.
  const std::vector<float>& predictions() const { return predictions_; }

  /// Receives d prediction of genes[index] / d z (1, L, D), float32 on the device, valid during the
  /// call.
  using Receiver = std::function<void(std::size_t index, const Tensor& gradient)>;
  /// Computes the gradients of `genes`, kAtOnce per pass over the tape. The bits of one gradient do
  /// not depend on which others are requested.
  void gradients(const std::vector<std::int32_t>& genes, const Receiver& receive);
  static constexpr std::int64_t kAtOnce = 8;

  /// The paths of a gradient from the inputs of the head to DNA: directly from DNA pooling, through
  /// RNA pooling, or through protein pooling (and RNA); with the gene readout also through the
  /// gene's own fused RNA or protein token, past the pooling. By linearity of the chain rule they
  /// add up to the whole gradient.
  enum Path : std::int8_t { kDirect, kRna, kProtein, kOwnRna, kOwnProtein };
  static constexpr std::size_t kMostPaths = 5;
  /// Number of paths of a model: the first 3, or all with the gene readout.
  static std::size_t path_count(const CdtConfig& config) {
    return config.readout == Readout::kGene ? kMostPaths : 3;
  }
  using PathReceiver = std::function<void(std::size_t index, Path path, const Tensor& gradient)>;
  void path_gradients(const std::vector<std::int32_t>& genes, const PathReceiver& receive);

  /// How a gradient via RNA or protein reaches DNA: in eval mode only the keys and values of
  /// dna_to_rna read DNA. kValue: through the values, with the attention weights held fixed.
  /// kPattern: through the attention weights (keys), with the values held fixed. By the product
  /// rule these parts, summed over all heads, are the path's gradient.
  enum Half : std::int8_t { kPattern, kValue };
  static constexpr int kHalves = 2;
  using HeadReceiver = std::function<void(Half half, std::int64_t head, const Tensor& gradient)>;
  /// Returns the path's whole gradient (L, D) on the host; any path but kDirect.
  std::vector<float> cross_head_gradients(std::int32_t gene, Path path,
                                          const HeadReceiver& receive);

  /// Only with the column readout. Computes d input i of the last linear layer / d z for all D
  /// inputs. Predictions are linear in these, so D gradients serve any number of genes.
  void basis_gradients(const Receiver& receive);

 private:
  // By path: the gradient at the input of the head where it begins, (count, D) or (count, G, D).
  using ByPath = std::vector<Cotangent>;
  using Use = std::function<void(std::size_t first, std::int64_t count, const ByPath& pooled)>;
  void head_gradients(Var from, const std::vector<std::int32_t>& columns, const Use& use);
  void whole_gradients(Var from, const std::vector<std::int32_t>& columns, const Receiver& receive);
  void backward(const std::vector<Cotangent>& cotangents, std::size_t first, std::int64_t count,
                const Receiver& receive);

  Explainer& explainer_;
  EvalTape tape_;
  Var z_ = nullptr;
  // Per path, the pooled vectors (1, D) and then the tokens (1, G, D): as outputs of the body, and
  // as inputs of the head.
  std::vector<Var> pooled_, head_inputs_;
  Var cross_ = nullptr;  // (1, L, 2D): keys and values of dna_to_rna, if recorded
  Var last_input_ = nullptr, prediction_ = nullptr;
  std::vector<float> predictions_;
};

/// L2 norms over features of the gradients at the RNA and protein inputs, one per gene: (G) each.
struct GeneGradients {
  std::vector<float> rna, protein;
};

/// Computes, for each of `genes` in order, which genes' embeddings its prediction depends on. These
/// gradients run through the trunks, which are not constants here. z (L, D).
std::vector<GeneGradients> gene_gradients(Explainer& explainer, std::span<const float> z,
                                          const std::vector<std::int32_t>& genes);

}  // namespace cdt
