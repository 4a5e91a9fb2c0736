// One forward pass of an enhancer and the gradients of any genes' predictions from it: the common
// part of the gradient methods. Evaluation mode, model frozen; nothing flows into weights or into
// the RNA and protein trunks. Gradients stop at the output of the DNA projector's linear map
//   z (L, D) = x W^T + b;
// a change dx of the input changes z by dx W^T, so inner products with dx need no dna_dim wide
// gradient: g_x . dx = g_z . dz, bin by bin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/tape.h"
#include "model/cdt.h"

namespace cdt {

/// Row-wise inner products a . (b - from) in float64: (rows) from three (rows, D).
std::vector<float> row_products(std::span<const float> a, std::span<const float> b,
                                std::span<const float> from, std::int64_t rows);

class GradientPass {
 public:
  /// The model is frozen; all must outlive this.
  GradientPass(Cdt& model, Tape& tape, const Trunks& trunks);

  /// z (L, D) of dna (1, L, dna_dim), which lies outside the tape's step arena. Clears the tape.
  std::vector<float> project(const Tensor& dna);
  /// The z (L, D) of an input that is zero in all bins: the bias in every row.
  std::vector<float> zero_projection(std::int64_t bins);

  /// Clears the tape and runs the model from z (L, D), rows of D, which is rounded to the type of
  /// activations where it enters. recorder: as for the model; with its cores,
  /// cross_head_gradients() can be asked for.
  void forward(std::span<const float> z, Recorder* recorder = nullptr);
  /// The same as forward(project(dna)), but z stays on the device.
  void forward_from(const Tensor& dna, Recorder* recorder = nullptr);
  /// z (L, D) of the last forward pass, from the device.
  std::vector<float> projected() const;
  /// Of the last forward(), one per gene.
  const std::vector<float>& predictions() const { return predictions_; }

  /// Receives d prediction of genes[index] / d z (1, L, D), float32 on the device, valid during the
  /// call.
  using Receiver = std::function<void(std::size_t index, const Tensor& gradient)>;
  /// Gradients from the last forward(), kCotangents genes per pass over the tape. The bits of one
  /// do not depend on which others are asked for.
  void gradients(const std::vector<std::int32_t>& genes, const Receiver& receive);

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

  static constexpr std::int64_t kCotangents = 8;

 private:
  void run_from(const Tensor& z, Recorder* recorder);
  struct Cotangents;
  using Use = std::function<void(std::size_t first, std::int64_t count, const Cotangents& c)>;
  void head_gradients(Var from, std::size_t count,
                      const std::function<std::int64_t(std::size_t)>& column, const Use& use);
  void genes_head_gradients(const std::vector<std::int32_t>& genes, const Use& use);
  void run(const std::vector<Cotangent>& cotangents, std::size_t first, std::int64_t count,
           const Receiver& receive);

  Cdt& model_;
  Tape& tape_;
  const Trunks& trunks_;
  Var z_ = nullptr;
  Pooled pooled_;        // of the body
  Pooled head_input_;    // the same values, where the head begins
  Var cross_ = nullptr;  // (1, L, 2D): keys and values of dna_to_rna, if they are recorded
  Var last_input_ = nullptr, prediction_ = nullptr;
  std::vector<float> predictions_;
};

}  // namespace cdt
