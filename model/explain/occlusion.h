// Occlusion (Zeiler & Fergus 2014): what a prediction loses when the DNA of some bins is replaced
// by the baseline's, measured by a forward pass of its own. No gradient is involved, so it tells
// what gradients only claim.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/tape.h"
#include "model/cdt.h"
#include "model/explain/gradient_pass.h"

namespace cdt {

/// Bins [begin, end).
struct BinRange {
  std::int64_t begin = 0, end = 0;
};

/// Consecutive ranges of `width` bins that cover the window; the last may be shorter.
std::vector<BinRange> occlusion_ranges(std::int64_t bins, std::int64_t width);

class Occlusion {
 public:
  /// batch: ranges per forward pass; the arenas must hold as many enhancers.
  Occlusion(Cdt& model, Tape& tape, const Trunks& trunks, std::int64_t batch);

  /// Predictions without each range: [range][gene]. z, baseline (L, D) as GradientPass::project()
  /// gives them. One forward pass serves all genes; after_pass is called after each. Clears the
  /// tape.
  std::vector<std::vector<float>> predictions_without(
      std::span<const float> z, std::span<const float> baseline, std::int64_t bins,
      const std::vector<BinRange>& ranges, const std::vector<std::int32_t>& genes,
      const std::function<void()>& after_pass = [] {});
  /// prediction - prediction without the range: positive where the DNA raises the prediction.
  std::vector<std::vector<float>> effects(
      std::span<const float> z, std::span<const float> baseline, std::int64_t bins,
      const std::vector<BinRange>& ranges, const std::vector<std::int32_t>& genes,
      const std::function<void()>& after_pass = [] {});

 private:
  std::vector<float> predict(const std::vector<float>& z, std::int64_t batch, std::int64_t bins);

  Cdt& model_;
  Tape& tape_;
  const Trunks& trunks_;
  std::int64_t batch_;
};

/// Scores by bin (L): every bin of a range has the range's effect.
std::vector<float> spread(const std::vector<BinRange>& ranges, std::span<const float> effects,
                          std::int64_t bins);

}  // namespace cdt
