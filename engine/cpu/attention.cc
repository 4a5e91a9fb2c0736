// Attention forward: tiles of queries against all keys of one head, so that each thread holds only
// one (tile, Nk) score block. Rows stay e^(s - max); the division by their sum comes after the
// product with v, where a row has K elements instead of Nk.
#include <algorithm>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dropout_mask.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/vector_math.h"
#include "engine/kernel_types.h"

namespace cdt {
namespace {

/// A tile of queries: `rows` of them, starting at `first`, of head `head`.
struct QueryTile {
  std::int64_t head, first, rows;
};

constexpr std::int64_t kTileScores = 480 << 10;  // fits a core's share of the last-level cache

/// Tiles of queries, large enough to repay oneDNN's packing of the keys.
Cut query_tiles(const Attention& a) {
  return {a.queries, std::clamp<std::int64_t>(kTileScores / a.keys, 16, 192), 8};
}

/// Fills scores (rows, Nk) = e^(q k^T / sqrt(K) - row maximum), and sums and log_sum_exp per row.
void exponentials_of_tile(const Attention& a, const QueryTile& t, std::int64_t b, float* scores,
                          float* sums) {
  sgemm(false, true, t.rows, a.keys, a.head_dim, score_scale(a),
        head_row(a.q, a, b, t.head, t.first), a.q.row_stride, head_row(a.k, a, b, t.head, 0),
        a.k.row_stride, 0.0F, scores, a.keys);
  float* log_sum_exp = a.log_sum_exp.data + (b * a.heads + t.head) * a.queries + t.first;
  for (std::int64_t i = 0; i < t.rows; ++i) {
    const RowExponentials row = exponentials(scores + i * a.keys, a.keys);
    sums[i] = row.sum;
    log_sum_exp[i] = row.max + std::log(row.sum);
  }
}

void store_probabilities(const Attention& a, const QueryTile& t, std::int64_t b,
                         const float* scores, const float* sums) {
  float* to = a.probabilities.data + ((b * a.heads + t.head) * a.queries + t.first) * a.keys;
  for (std::int64_t i = 0; i < t.rows; ++i) {
    const F32 share = splat(1.0F / sums[i]);
    for_lanes(a.keys, [&](std::int64_t j, int lanes) CDT_INLINE {
      store(to + i * a.keys + j, load(scores + i * a.keys + j, lanes) * share, lanes);
    });
  }
}

/// masked = scores where kept, else 0; masked may be scores.
void mask_tile(const Attention& a, const MaskColumns& mask, const QueryTile& t, std::int64_t b,
               const float* scores, float* masked) {
  for (std::int64_t i = 0; i < t.rows; ++i) {
    const float* from = scores + i * a.keys;
    float* to = masked + i * a.keys;
    mask.for_kept(mask_row(a, b, t.head, t.first + i), 0, a.keys,
                  [&](std::int64_t j, int lanes, I32 kept) CDT_INLINE {
                    store(to + j, keep_where(kept, load(from + j, lanes)), lanes);
                  });
  }
}

/// out = p v, each row divided by its sum and multiplied by the scale of the mask.
void weighted_values(const Attention& a, const QueryTile& t, std::int64_t b, const float* p,
                     const float* sums) {
  const HeadsView out_view = dense_view(a, a.out);
  float* out = head_row(out_view, a, b, t.head, t.first);
  sgemm(false, false, t.rows, a.head_dim, a.keys, 1.0F, p, a.keys, head_row(a.v, a, b, t.head, 0),
        a.v.row_stride, 0.0F, out, out_view.row_stride);
  for (std::int64_t i = 0; i < t.rows; ++i) {
    float* row = out + i * out_view.row_stride;
    const F32 factor = splat(a.dropout.scale() / sums[i]);
    for_lanes(a.head_dim, [&](std::int64_t c, int lanes)
                              CDT_INLINE { store(row + c, load(row + c, lanes) * factor, lanes); });
  }
}

/// One thread's workspace: the scores of a tile, the masked probabilities if several masks share
/// the scores (`apart`), and the row sums.
struct TileMemory {
  bool apart;
  std::int64_t block, sums;

  TileMemory(const Attention& a, const Cut& tiles)
      : apart(a.dropout.p > 0.0F && scores_shared(a) && a.batch > 1),
        block(tiles.piece * a.keys),
        sums(tiles.piece) {}
  std::int64_t floats() const { return (apart ? 2 : 1) * block + sums; }
};

}  // namespace

std::int64_t CpuBackend::attention_kept_floats(const Attention& /*a*/) { return 0; }

void CpuBackend::attention_scratch(const Attention& a, Arena& /*scratch*/) {
  need_work_areas(TileMemory(a, query_tiles(a)).floats());
}

void CpuBackend::attention(const Attention& a, Arena& scratch) {
  attention_scratch(a, scratch);
  const bool masked = a.dropout.p > 0.0F;
  const MaskColumns mask(a.dropout, a.keys);
  const std::int64_t per_score =
      scores_shared(a) ? a.batch : 1;  // samples that share one score block
  const Cut tiles = query_tiles(a);
  const TileMemory memory(a, tiles);
  const std::int64_t units = a.batch / per_score * a.heads;
  const int threads = threads_for(threads_, score_products(a));
  parallel_for(threads, units * tiles.count, [&](std::int64_t task, int thread) {
    const std::int64_t unit = task / tiles.count;
    const std::int64_t index = task % tiles.count;
    const QueryTile t{unit % a.heads, tiles.begin(index), tiles.length(index)};
    float* scores = work_area(thread);
    float* p = memory.apart ? scores + memory.block : scores;
    float* sums = p + memory.block;
    const std::int64_t begin = unit / a.heads;
    exponentials_of_tile(a, t, begin, scores, sums);
    for (std::int64_t b = begin; b < begin + per_score; ++b) {
      if (!a.probabilities.empty()) store_probabilities(a, t, b, scores, sums);
      if (masked) mask_tile(a, mask, t, b, scores, p);
      weighted_values(a, t, b, p, sums);
    }
  });
}

}  // namespace cdt
