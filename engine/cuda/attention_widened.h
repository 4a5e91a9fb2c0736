// bfloat16 attention that the tiled kernels do not support (other head sizes, unaligned addresses):
// its operands are converted to float32, for attention through score matrices.
#pragma once

#include <cuda_runtime.h>

#include <optional>

#include "engine/arena.h"
#include "engine/kernel_types.h"

namespace cdt {

/// A float32 copy of an operand's rows, in scratch; empty for a null view.
class WideView {
 public:
  /// rows: per sample; width: H * K. An operand that the batch shares has one sample.
  WideView(const HeadsView& narrow, std::int64_t batch, std::int64_t rows, std::int64_t width,
           Arena& scratch);
  HeadsView view() const;
  void load(cudaStream_t stream) const;   // from the operand to the copy
  void store(cudaStream_t stream) const;  // from the copy to the operand

 private:
  HeadsView narrow_;
  std::int64_t samples_, rows_, width_;
  std::optional<Scratch> memory_;
};

/// The forward pass in float32.
class WideForward {
 public:
  WideForward(const Attention& a, Arena& scratch);
  Attention attention() const;
  void load(cudaStream_t stream) const;  // q, k and v

 private:
  Attention a_;
  WideView q_, k_, v_;
  Scratch out_;
};

/// The backward pass in float32; the caller loads out and dout.
class WideBackward {
 public:
  WideBackward(const AttentionBackward& a, Arena& scratch);
  AttentionBackward attention() const;
  void load(cudaStream_t stream) const;   // q, k and v
  void store(cudaStream_t stream) const;  // dq, dk and dv

 private:
  AttentionBackward a_;
  WideForward forward_;
  Scratch dout_;
  WideView dq_, dk_, dv_;
};

}  // namespace cdt
