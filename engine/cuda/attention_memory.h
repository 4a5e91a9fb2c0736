// What the tiled attention kernels need besides their operands: masks as bits, and workspace.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/arena.h"
#include "engine/cuda/attention_parts.h"
#include "engine/cuda/fused_attention.h"
#include "engine/cuda/launch.h"
#include "engine/kernel_types.h"

namespace cdt {

/// Memory for mask bits, rows by columns for all heads; none without dropout or if they are not
/// wanted.
class KeptMemory {
 public:
  /// Uses the memory at `there`, or scratch if that is null.
  KeptMemory(const Attention& a, std::int64_t rows, std::int64_t columns, bool wanted, float* there,
             Arena& scratch)
      : tiles_(ceil_div(columns, kKeptColumns)),
        padded_(ceil_div(rows, kKeptRows) * kKeptRows),
        words_(there) {
    if (a.dropout.p <= 0.0F || !wanted) {
      words_ = nullptr;
    } else if (there == nullptr) {
      words_ = scratch_.emplace(scratch, Shape{floats(a, rows, columns)}).data();
    }
  }
  static std::int64_t floats(const Attention& a, std::int64_t rows, std::int64_t columns) {
    return a.batch * a.heads * ceil_div(columns, kKeptColumns) * ceil_div(rows, kKeptRows) *
           kKeptRows * 2;
  }
  KeptBits bits() const {
    if (words_ == nullptr) return {};
    return {reinterpret_cast<uint2*>(words_), static_cast<int>(tiles_), static_cast<int>(padded_)};
  }

 private:
  std::int64_t tiles_, padded_;
  float* words_;
  std::optional<Scratch> scratch_;
};

/// The mask bits as both passes read them, in Attention::kept if that is set.
inline KeptMemory kept_by_query(const Attention& a, bool wanted, Arena& scratch) {
  return {a, a.queries, a.keys, wanted, a.kept.data, scratch};
}
inline KeptMemory kept_by_key(const Attention& a, bool wanted, Arena& scratch) {
  float* const there =
      a.kept.empty() ? nullptr : a.kept.at(KeptMemory::floats(a, a.queries, a.keys));
  return {a, a.keys, a.queries, wanted, there, scratch};
}

/// Scratch memory of the forward kernels.
template <class T>
struct ForwardMemory {
  ForwardMemory(const Attention& a, Arena& scratch)
      : operands(a, scratch),
        by_query(kept_by_query(a, true, scratch)),
        by_key(kept_by_key(a, !a.kept.empty(), scratch)) {}

  TiledOperands<T> operands;
  KeptMemory by_query, by_key;
};

/// Scratch memory of the backward kernels; together: of attention_backward_together().
template <class T>
struct BackwardMemory {
  BackwardMemory(const AttentionBackward& a, bool together, Arena& scratch)
      : f(forward_of(a)),
        operands(f, scratch),
        dout(dense_view(f, a.dout), f.batch, f.queries, {f.heads, f.head_dim}, scratch),
        by_query(kept_by_query(f, a.dq.data != nullptr && !together, scratch)),
        by_key(kept_by_key(f, a.dk.data != nullptr, scratch)),
        sums(scratch, {f.batch, f.heads, f.queries, 2}) {
    if (!together) return;
    constexpr std::int64_t kTile = 64;
    constexpr std::int64_t kBlocks = 1024;  // a few waves on a large GPU
    const std::int64_t tiles = ceil_div(f.queries, kTile);
    parts = std::clamp<std::int64_t>(kBlocks / (ceil_div(f.keys, kTile) * f.heads), 1, tiles);
    ld = tiles * kTile;
    ds.emplace(scratch, Shape{f.heads, f.keys, ld}, f.q.dtype);
    dv_parts.emplace(scratch, Shape{parts, f.keys, f.heads * f.head_dim});
  }
  float2* row_sums() const { return reinterpret_cast<float2*>(sums.data()); }

  Attention f;
  TiledOperands<T> operands;
  TiledOperand<T> dout;
  KeptMemory by_query, by_key;
  Scratch sums;                         // FusedAttentionBackward::row_sums
  std::optional<Scratch> ds, dv_parts;  // SharedSums
  std::int64_t ld = 0, parts = 1;
};

}  // namespace cdt
