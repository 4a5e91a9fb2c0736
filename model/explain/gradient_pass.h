// One forward pass of an enhancer and the gradients of any genes' predictions from it: the common
// part of the gradient methods. Nothing flows into weights or into the RNA and protein trunks, and
// gradients stop at z (model/explain/explainer.h).
#pragma once

#include <array>
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

/// Holds the explainer's tape as long as it lives.
class GradientPass {
 public:
  /// From z (L, D), which is rounded to the type of activations where it enters. recorder: as for
  /// the model; with its cores, cross_head_gradients() can be asked for.
  GradientPass(Explainer& explainer, std::span<const float> z, Recorder* recorder = nullptr);

  Explainer& explainer() const { return explainer_; }
  /// One per gene.
  const std::vector<float>& predictions() const { return predictions_; }

  /// Receives d prediction of genes[index] / d z (1, L, D), float32 on the device, valid during the
  /// call.
  using Receiver = std::function<void(std::size_t index, const Tensor& gradient)>;
  /// kAtOnce genes per pass over the tape. The bits of one gradient do not depend on which others
  /// are asked for.
  void gradients(const std::vector<std::int32_t>& genes, const Receiver& receive);
  static constexpr std::int64_t kAtOnce = 8;

  /// The ways a gradient takes from the pooled vectors to DNA: from DNA pooling at once, through
  /// RNA pooling, through protein pooling (and RNA). The chain rule is linear: they add up to the
  /// whole.
  enum Path : std::int8_t { kDirect, kRna, kProtein };
  static constexpr int kPaths = 3;
  using PathReceiver = std::function<void(std::size_t index, Path path, const Tensor& gradient)>;
  void path_gradients(const std::vector<std::int32_t>& genes, const PathReceiver& receive);

  /// Where a gradient via RNA or protein enters DNA: in eval mode DNA is read by the keys and
  /// values of dna_to_rna alone. Values with the attention held, or the attention's pattern (keys)
  /// with the values held; by the product rule these parts of all heads add up to the path's
  /// gradient.
  enum Half : std::int8_t { kPattern, kValue };
  static constexpr int kHalves = 2;
  using HeadReceiver = std::function<void(Half half, std::int64_t head, const Tensor& gradient)>;
  /// Gives the path's whole gradient (L, D), kRna or kProtein, on the host.
  std::vector<float> cross_head_gradients(std::int32_t gene, Path path,
                                          const HeadReceiver& receive);

  /// d input i of the last linear layer / d z for all i of D: predictions depend linearly on these,
  /// so D gradients serve any number of genes.
  void basis_gradients(const Receiver& receive);

 private:
  using ByPath = std::array<Cotangent, kPaths>;  // d / d pooled vectors, (count, D) each
  using Use = std::function<void(std::size_t first, std::int64_t count, const ByPath& pooled)>;
  void head_gradients(Var from, const std::vector<std::int32_t>& columns, const Use& use);
  void whole_gradients(Var from, const std::vector<std::int32_t>& columns, const Receiver& receive);
  void backward(const std::vector<Cotangent>& cotangents, std::size_t first, std::int64_t count,
                const Receiver& receive);

  Explainer& explainer_;
  EvalTape tape_;
  Var z_ = nullptr;
  // By path, the pooled vectors (1, D): where the body ends, and again where the head begins.
  std::array<Var, kPaths> pooled_{}, head_inputs_{};
  Var cross_ = nullptr;  // (1, L, 2D): keys and values of dna_to_rna, if they are recorded
  Var last_input_ = nullptr, prediction_ = nullptr;
  std::vector<float> predictions_;
};

/// L2 norms over features of d prediction / d RNA and protein input, one per gene: (G) each.
struct GeneGradients {
  std::vector<float> rna, protein;
};

/// Of each of `genes`' predictions, in order: which genes' embeddings they hang on. These run
/// through the trunks, which are no constants here. z (L, D).
std::vector<GeneGradients> gene_gradients(Explainer& explainer, std::span<const float> z,
                                          const std::vector<std::int32_t>& genes);

}  // namespace cdt
