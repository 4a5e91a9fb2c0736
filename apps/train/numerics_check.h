// --check-numerics: looks at every value that a training step computes, and names the first op that
// yields NaN or infinity.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/backend.h"
#include "engine/optim/adamw.h"
#include "engine/value_watch.h"
#include "model/cdt.h"

namespace cdt {

/// Downloads what it looks at: a step takes several times as long.
class NumericsCheck final : public ValueWatch {
 public:
  explicit NumericsCheck(Backend& backend) : backend_(backend) {}

  /// Throws NotFinite "layer_norm of dna_self_attn_layers.0 yields NaN at (0, 3, 5) of (2, 12, 16),
  /// the first of 7" for an output, or a gradient, that holds NaN or infinity.
  void computed(ProfilePass pass, const char* op, std::string_view module,
                const Tensor& tensor) override;
  /// Throws NotFinite for a weight or a moment that an update has made NaN or infinite.
  void updated(const Cdt& model, const AdamW& optimiser);

 private:
  /// "NaN at (0, 3, 5) of (2, 12, 16), the first of 7", or "" if all is finite.
  std::string found_in(const Tensor& tensor);

  Backend& backend_;
  std::vector<float> values_;
};

}  // namespace cdt
