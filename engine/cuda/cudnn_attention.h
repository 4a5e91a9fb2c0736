// Attention without dropout by cuDNN's fused kernels. The library is opened when it is first asked
// for, so programs start without one; a build without its headers has engine/cuda/no_cudnn.cc in
// place of this.
#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/kernel_types.h"

namespace cdt {

/// Everything of an attention without dropout but its addresses.
using AttentionKey = std::array<std::int64_t, 11>;
inline AttentionKey attention_key(const Attention& a) {
  return {a.batch,          a.heads,          a.head_dim,      a.queries,
          a.keys,           a.q.row_stride,   a.k.row_stride,  a.v.row_stride,
          a.q.batch_stride, a.k.batch_stride, a.v.batch_stride};
}

class CudnnAttention {
 public:
  virtual ~CudnnAttention() = default;
  CudnnAttention() = default;
  CudnnAttention(const CudnnAttention&) = delete;
  CudnnAttention& operator=(const CudnnAttention&) = delete;

  /// Of the library that was found: "9.19.0".
  virtual std::string version() const = 0;
  /// Compiles what attentions of this shape and these strides need, once; nothing of it during a
  /// capture. Error, in cuDNN's words, where it has no kernel for them.
  virtual void prepare(const Attention& a) = 0;
  /// Writes out, and log_sum_exp for each sample, of a shape that is prepared; reads neither
  /// dropout nor probabilities. In bfloat16, heads a multiple of 8, addresses and strides multiples
  /// of 16 bytes.
  virtual void run(const Attention& a) = 0;
  /// Device memory that a prepared shape takes for itself.
  virtual std::size_t workspace_bytes(const Attention& a) const = 0;
};

/// Error, in one sentence, where there is no such library, or none that fits this GPU.
std::unique_ptr<CudnnAttention> make_cudnn_attention(cudaStream_t stream);

}  // namespace cdt
