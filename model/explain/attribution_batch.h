// Computes the windows of attribute() for several enhancers at once, on a device whose launches are
// worth sharing. A batch has E slots (places), one DNA window each. One forward pass serves all
// slots, and each round of backward passes one gene per slot. Both are recorded steps
// (Backend::run_recorded()): everything that differs between batches is in lasting tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "model/explain/attribution.h"
#include "model/explain/explainer.h"

namespace cdt {

class AttributionBatch {
 public:
  /// places: number of windows E; bins: L; want_product: as for attribute(). The references must
  /// outlive this.
  AttributionBatch(Explainer& explainer, std::int64_t places, std::int64_t bins, bool want_product,
                   Arena& lasting);

  std::int64_t places() const { return places_; }

  /// Receives the windows of genes[place][index].
  using Receiver = std::function<void(std::size_t place, std::size_t index, PairWindows windows)>;
  /// Runs one batch. genes: per slot, empty if the slot only fills the batch. dna (E, L, dna_dim)
  /// must have the same address at every call. The windows of a pair do not depend on the other
  /// pairs or on the slot; they depend on E only if a library chooses algorithms for products by
  /// their sizes.
  void run(const Tensor& dna, const std::vector<std::vector<std::int32_t>>& genes,
           const Receiver& receive);
  /// True if the DNA of that slot was all zeros in the last run.
  bool is_zero(std::size_t place) const;

 private:
  void forward(Tape& tape, const Tensor& dna);
  void backward(Tape& tape);
  void choose(const std::vector<std::int32_t>& genes);
  std::vector<PairWindows> windows() const;
  std::string step_name(const char* step) const;
  std::vector<Tensor> operands(std::vector<Tensor> own) const;

  // The results of a round are in one tensor, so that they need one download.
  Tensor predictions() const { return results_.slice(0, places_); }                    // (E)
  Tensor gradients() const { return results_.slice(places_, places_ * (1 + bins_)); }  // (E L)
  Tensor rows() const {
    return results_.slice(places_ * (1 + bins_), results_.count());
  }  // (E H L)

  Explainer& explainer_;
  std::int64_t places_, bins_;
  std::vector<float> zero_;  // (L, D): z of all-zero DNA; empty: no products with the input
  Tensor genes_;             // (E), int32: the genes of a round
  Tensor queries_;           // (E, D): their queries in dna_to_rna
  Tensor dna_norms_;         // (E L)
  Tensor results_;
  Tensor z_, gradient_;  // (E, L, D), for products with the input
  std::vector<float> norms_on_host_, z_on_host_;
  // On the tape, from the last forward pass that ran on the host, not as a replay.
  Var input_ = nullptr;   // z
  Var output_ = nullptr;  // (E, G)
  Tensor context_;        // (E, L, D): what dna_to_rna attends to
};

}  // namespace cdt
