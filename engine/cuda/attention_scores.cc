// Attention in float32 through score matrices: matrix products by cuBLASLt and, between them, fused
// kernels for the exponentials and the exact dropout mask. The scores in memory are those of some
// queries of all heads of one sample, a block that stays in the L2 cache. If the batch shares
// queries and keys, all its samples use the same scores.
#include <optional>

#include "engine/cuda/launch.h"
#include "engine/cuda/score_blocks.h"

namespace cdt {

namespace {

/// Scratch memory of the forward pass.
struct ScoresScratch {
  Scratch scores;
  std::optional<Scratch> apart;  // masked probabilities, if scores cannot hold them

  ScoresScratch(const Attention& a, const Blocks& blocks, Arena& scratch)
      : scores(scratch, {blocks.scores(a)}) {
    if (scores_shared(a) && a.batch > 1) apart.emplace(scratch, Shape{blocks.scores(a)});
  }
};

}  // namespace

void CudaBackend::attention_by_scores_scratch(const Attention& a, Arena& scratch) {
  const ScoresScratch memory(a, Blocks(a), scratch);
}

void CudaBackend::attention_by_scores(const Attention& a, Arena& scratch) {
  const Blocks blocks(a);
  const std::int64_t sharing = scores_shared(a) ? a.batch : 1;
  const Mask drop = mask(a.dropout);
  const ScoresScratch memory(a, blocks, scratch);
  float* const scores = memory.scores.data();
  float* const masked = memory.apart ? memory.apart->data() : scores;
  const HeadsView out = dense_view(a, a.out);
  for (std::int64_t begin = 0; begin < a.batch; begin += sharing) {
    for (std::int64_t first = 0; first < a.queries; first += blocks.rows) {
      ScoreRows r = rows_of(a, blocks, first);
      const Products products{*this, a, r};
      r.sums_sample = begin;
      products.scores(a.q, a.k, begin, score_scale(a), scores);
      softmax_rows(stream_, r, scores, a.log_sum_exp.data);
      for (std::int64_t b = begin; b < begin + sharing; ++b) {
        r.sample = b;
        mask_rows(stream_, r, scores, drop, masked, a.probabilities.data);
        products.per_query(masked, a.v, b, 1.0F, out, b, false);
      }
    }
  }
}

}  // namespace cdt
