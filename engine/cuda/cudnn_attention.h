// Attention without dropout with cuDNN's fused kernels. The library is opened on first use, so the
// programs start without it. In builds without its headers, engine/cuda/no_cudnn.cc replaces this.
#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/kernel_types.h"

namespace cdt {

/// Everything that identifies an attention without dropout except its addresses.
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

  /// Version of the library that was found: "9.19.0".
  virtual std::string version() const = 0;
  /// Compiles what attention of this shape and these strides needs, once; not during a capture.
  /// Throws Error, with cuDNN's message, if it has no kernel.
  virtual void prepare(const Attention& a) = 0;
  /// Computes out, and log_sum_exp for each sample, for a prepared shape; ignores dropout and
  /// probabilities. bfloat16; head widths must be multiples of 8, addresses and strides multiples
  /// of 16 bytes.
  virtual void run(const Attention& a) = 0;
  /// Device memory in bytes that a prepared shape holds as workspace.
  virtual std::size_t workspace_bytes(const Attention& a) const = 0;
};

/// Opens cuDNN. Throws Error, one sentence, if the library is missing or does not fit this GPU.
std::unique_ptr<CudnnAttention> make_cudnn_attention(cudaStream_t stream);

}  // namespace cdt
