#include "engine/cuda/attention_parts.h"
#include "engine/cuda/float_parts.cuh"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

/// Block (x, y) splits row x of sample y. Head widths are multiples of 8, so four adjacent elements
/// belong to one head.
__global__ void split_rows_kernel(FusedView<FloatPart> to, FusedView<float> from, int columns,
                                  int head_dim) {
  const float* const x = from.data + blockIdx.y * from.batch_stride + blockIdx.x * from.row_stride;
  FloatPart* const y = to.data + blockIdx.y * to.batch_stride + blockIdx.x * to.row_stride;
  for (int c = static_cast<int>(threadIdx.x) * 4; c < columns;
       c += static_cast<int>(blockDim.x) * 4) {
    float4 four = *reinterpret_cast<const float4*>(x + c);
    const int head = c / head_dim;
    FloatPart* const first = y + head * (kFloatParts - 1) * head_dim + c;
#pragma unroll
    for (int part = 0; part < kFloatParts; ++part) {
      *reinterpret_cast<uint2*>(first + part * head_dim) = take_part(four);
    }
  }
}

}  // namespace

OperandInParts::OperandInParts(const HeadsView& view, std::int64_t batch, std::int64_t rows,
                               Heads heads, Arena& scratch)
    : from_{view.data, view.row_stride, view.batch_stride},
      samples_(is_shared(view, batch) ? 1 : batch),
      rows_(rows),
      heads_(heads),
      memory_(scratch, {samples_, rows, heads.count * kFloatParts, heads.width}, Dtype::kBFloat16) {
}

FusedView<FloatPart> OperandInParts::view() const {
  const std::int64_t row = heads_.count * kFloatParts * heads_.width;
  return {reinterpret_cast<FloatPart*>(memory_.data()), row, samples_ == 1 ? 0 : rows_ * row};
}

void OperandInParts::load(cudaStream_t stream) const {
  const auto columns = static_cast<int>(heads_.count * heads_.width);
  launch(stream, split_rows_kernel,
         dim3(static_cast<unsigned>(rows_), static_cast<unsigned>(samples_)),
         row_threads(columns / 4), view(), from_, columns, static_cast<int>(heads_.width));
}

}  // namespace cdt
