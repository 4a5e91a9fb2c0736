// The operands as the tiled attention kernels read them: the operand itself or, for float32
// accuracy, a copy split into parts (FloatPart). Splitting once is cheaper than in every block that
// reads it.
#pragma once

#include <cuda_runtime.h>

#include <optional>
#include <type_traits>

#include "engine/arena.h"
#include "engine/cuda/fused_attention.h"
#include "engine/kernel_types.h"

namespace cdt {

/// H heads of K elements.
struct Heads {
  std::int64_t count, width;
};

template <class T>
class OperandAsIs {
 public:
  OperandAsIs(const HeadsView& view, std::int64_t /*batch*/, std::int64_t /*rows*/, Heads /*heads*/,
              Arena& /*scratch*/)
      : view_{reinterpret_cast<T*>(view.data), view.row_stride, view.batch_stride} {}
  FusedView<T> view() const { return view_; }
  void load(cudaStream_t /*stream*/) const {}

 private:
  FusedView<T> view_;
};

/// A split copy (samples, rows, H, 3, K) in scratch; one sample if the batch shares the operand.
class OperandInParts {
 public:
  OperandInParts(const HeadsView& view, std::int64_t batch, std::int64_t rows, Heads heads,
                 Arena& scratch);
  FusedView<FloatPart> view() const;
  void load(cudaStream_t stream) const;

 private:
  FusedView<float> from_;
  std::int64_t samples_, rows_;
  Heads heads_;
  Scratch memory_;
};

template <class T>
using TiledOperand =
    std::conditional_t<std::is_same_v<T, FloatPart>, OperandInParts, OperandAsIs<T>>;

/// Queries, keys and values.
template <class T>
struct TiledOperands {
  TiledOperand<T> q, k, v;

  TiledOperands(const Attention& a, Arena& scratch)
      : q(a.q, a.batch, a.queries, {a.heads, a.head_dim}, scratch),
        k(a.k, a.batch, a.keys, {a.heads, a.head_dim}, scratch),
        v(a.v, a.batch, a.keys, {a.heads, a.head_dim}, scratch) {}
  void load(cudaStream_t stream) const {
    q.load(stream);
    k.load(stream);
    v.load(stream);
  }
};

}  // namespace cdt
