// Which way a prediction's gradient takes to DNA. The head reads three pooled vectors, so
//   gradient = direct (DNA pooling) + via RNA (pooling) + via protein (pooling, through RNA)
// exactly, by the linearity of the chain rule. Norms of the parts do not add up; inner products do:
// with the input (product) and with the whole (share). The ways via RNA and protein both enter DNA
// through the cross-attention of RNA to DNA, and split further there: by head, into what moves its
// values and what moves its pattern.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/explain/gradient_pass.h"

namespace cdt {

struct PathSplit {
  static constexpr std::size_t kPaths = GradientPass::kPaths;
  /// As files name them, by GradientPass::Path.
  static constexpr std::array<const char*, kPaths> kNames{"direct", "via_rna", "via_protein"};
  /// L2 norm of each part by bin, at the DNA input.
  std::array<std::vector<float>, kPaths> norm;
  /// Part times input by bin: these add up to gradient x input.
  std::array<std::vector<float>, kPaths> product;
  /// (part . whole) / |whole|^2 over the window at the DNA input: add up to 1. NaN if whole is 0.
  std::array<double, kPaths> share{};
  /// |sum of the parts - whole| / |whole| at the output of the linear map; 0 if whole is 0.
  double additivity_error = 0;
};

/// What one way through dna_to_rna carries, by half (GradientPass::Half) and head.
struct HeadSplit {
  /// (part . whole) / |whole|^2 with the whole gradient: add up to the path's share.
  std::array<std::vector<double>, GradientPass::kHalves> share;
  /// Part times input, summed over the window: add up to the sum of PathSplit::product.
  std::array<std::vector<double>, GradientPass::kHalves> product;
  /// |sum of the parts - the path's gradient| / |that| at the output of the linear map.
  double additivity_error = 0;
};

/// Via RNA, then via protein.
using HeadSplits = std::array<HeadSplit, 2>;

/// Either split of each gene, in order, of one forward pass from z (L, D); after_gene is called
/// after each gene.
std::vector<PathSplit> split_paths(
    Explainer& explainer, std::span<const float> z, const std::vector<std::int32_t>& genes,
    const std::function<void()>& after_gene = [] {});
std::vector<HeadSplits> split_heads(
    Explainer& explainer, std::span<const float> z, const std::vector<std::int32_t>& genes,
    const std::function<void()>& after_gene = [] {});

}  // namespace cdt
