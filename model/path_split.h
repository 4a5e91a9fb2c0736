// Which way a prediction's gradient takes to DNA. The head reads three pooled vectors, so
//   gradient = direct (DNA pooling) + via RNA (pooling) + via protein (pooling, through RNA)
// exactly, by the linearity of the chain rule. Norms of the parts do not add up; inner products do:
// with the input (product) and with the whole (share).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "model/gradient_pass.h"
#include "model/input_gradient.h"

namespace cdt {

struct PathSplit {
  static constexpr std::size_t kPaths = GradientPass::kPaths;
  /// L2 norm of each part by bin, at the DNA input.
  std::array<std::vector<float>, kPaths> norm;
  /// Part times input by bin: these add up to gradient x input.
  std::array<std::vector<float>, kPaths> product;
  /// (part . whole) / |whole|^2 over the window at the DNA input: add up to 1. NaN if whole is 0.
  std::array<double, kPaths> share{};
  /// |sum of the parts - whole| / |whole| at the output of the linear map; 0 if whole is 0.
  double additivity_error = 0;
};

/// Of each gene, in order, from the pass's last forward(z); zero: the projection of a zero input.
std::vector<PathSplit> path_split(GradientPass& pass, InputGradientNorm& norm, Tape& tape,
                                  std::span<const float> z, std::span<const float> zero,
                                  const std::vector<std::int32_t>& genes);

}  // namespace cdt
