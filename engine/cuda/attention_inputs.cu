// What the tiled attention kernels read besides the operands: dropout masks as bits, drawn once for
// all kernels of a pass, and row sums.
#include "engine/cuda/fused_attention.cuh"

namespace cdt {
namespace {

constexpr int kWarps = 8;
constexpr int kWordBits = 32;

/// Transposes a 32 x 32 bit matrix over the warp: bit i of lane l becomes bit l of lane i.
__device__ __forceinline__ std::uint32_t transpose_over_warp(std::uint32_t word, int lane) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    // The bits whose index does not contain `step`.
    const std::uint32_t low = 0xFFFFFFFFU / ((1U << static_cast<unsigned>(step)) + 1U);
    const std::uint32_t other = __shfl_xor_sync(0xFFFFFFFFU, word, step);
    word = (lane & step) == 0 ? (word & low) | (other << static_cast<unsigned>(step) & ~low)
                              : (word & ~low) | (other >> static_cast<unsigned>(step) & low);
  }
  return word;
}

/// A warp draws 32 rows by 64 columns, one row per lane. Grid: (row blocks, column tiles, heads),
/// where a row block is 32 rows for each of kWarps warps.
template <bool kByKey>
__global__ void draw_kept_kernel(Mask mask, int queries, int padded, KeptBits by_query,
                                 KeptBits by_key) {
  const int lane = lane_number();
  const int block = static_cast<int>(blockIdx.x) * kWarps + warp_number();  // which 32 rows
  if (block * kWordBits >= padded) return;
  const int tile = static_cast<int>(blockIdx.y);
  const int head = static_cast<int>(blockIdx.z);
  const int i = block * kWordBits + place_of_bit(lane);
  const auto number = static_cast<std::uint32_t>(head) * static_cast<std::uint32_t>(queries) +
                      static_cast<std::uint32_t>(i) + mask.first_row;
  const std::uint32_t past = 0U - mask.threshold;  // added to a kept draw it carries out of 32 bits
  // The bits of even and of odd columns, of either half of 64, in the order of place_of_bit().
  uint2 even = make_uint2(0, 0);
  uint2 odd = make_uint2(0, 0);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const auto octet = static_cast<std::uint32_t>(8 * tile + (i + 4) % 8);
    const uint4 draw =
        philox(make_uint4(octet, number, mask.site, *mask.step), mask.key0, mask.key1);
    even.x = ptx::append_carry(ptx::append_carry(even.x, draw.x << 16U, past), draw.y << 16U, past);
    even.y = ptx::append_carry(ptx::append_carry(even.y, draw.z << 16U, past), draw.w << 16U, past);
    odd.x = ptx::append_carry(ptx::append_carry(odd.x, draw.x, past), draw.y, past);
    odd.y = ptx::append_carry(ptx::append_carry(odd.y, draw.z, past), draw.w, past);
  }
  const uint2 word =
      make_uint2(ptx::interleave_bytes(even.x, odd.x), ptx::interleave_bytes(even.y, odd.y));
  if (by_query.words != nullptr) {
    by_query.words[std::int64_t{head * by_query.tiles + tile} * by_query.padded + i] = word;
  }
  if constexpr (kByKey) {
    const std::uint32_t first = transpose_over_warp(word.x, lane);
    const std::uint32_t second = transpose_over_warp(word.y, lane);
    if (block / 2 >= by_key.tiles) return;
    const std::int64_t row = std::int64_t{head * by_key.tiles + block / 2} * by_key.padded +
                             tile * kKeptColumns + place_of_bit(lane);
    auto* const words = reinterpret_cast<std::uint32_t*>(by_key.words);
    words[2 * row + block % 2] = first;
    words[2 * (row + kWordBits) + block % 2] = second;
  }
}

template <class T>
struct RowSums {
  int heads, head_dim, queries, out_batch;
  float kept_scale;
  FusedView<T> out, dout;
  const float* log_sum_exp;
  std::int64_t sums_stride;
};

/// One block per token (b, i) of dout, one warp per head.
template <class T>
__global__ void row_sums_kernel(RowSums<T> r, float2* sums) {
  const int sample = static_cast<int>(blockIdx.y);
  const int i = static_cast<int>(blockIdx.x);
  const T* const dout = r.dout.data + sample * r.dout.batch_stride + i * r.dout.row_stride;
  const T* const out =
      r.out.data + sample % r.out_batch * r.out.batch_stride + i * r.out.row_stride;
  for_head_dots(dout, out, r.heads, r.head_dim, [&](int h, float sum) {
    const std::int64_t row = std::int64_t{h} * r.queries + i;
    sums[std::int64_t{sample} * r.heads * r.queries + row] =
        make_float2(r.log_sum_exp[sample * r.sums_stride + row] * kLog2E, sum / r.kept_scale);
  });
}

}  // namespace

void draw_kept(cudaStream_t stream, const Mask& mask, int heads, int queries, int keys,
               const KeptBits& by_query, const KeptBits& by_key) {
  const auto padded = static_cast<int>(blocks_for(queries, kKeptRows)) * kKeptRows;
  const dim3 grid(blocks_for(padded, kWordBits * kWarps), blocks_for(keys, kKeptColumns),
                  static_cast<unsigned>(heads));
  launch(stream, by_key.words != nullptr ? draw_kept_kernel<true> : draw_kept_kernel<false>, grid,
         32 * kWarps, mask, queries, padded, by_query, by_key);
}

template <class T>
void row_sums(cudaStream_t stream, const FusedAttention<T>& a, const FusedView<Result<T>>& dout,
              int out_batch, float2* sums) {
  const RowSums<Result<T>> r{.heads = a.heads,
                             .head_dim = a.head_dim,
                             .queries = a.queries,
                             .out_batch = out_batch,
                             .kept_scale = a.kept_scale,
                             .out = a.out,
                             .dout = dout,
                             .log_sum_exp = a.log_sum_exp,
                             .sums_stride = a.sums_stride};
  launch(stream, row_sums_kernel<Result<T>>,
         dim3(static_cast<unsigned>(a.queries), static_cast<unsigned>(a.batch)),
         std::min(8, a.heads) * 32, r, sums);
}

#define CDT_INSTANTIATE(T)                                                                         \
  template void row_sums(cudaStream_t, const FusedAttention<T>&, const FusedView<Result<T>>&, int, \
                         float2*)
CDT_INSTANTIATE(BFloat16);
CDT_INSTANTIATE(float);
CDT_INSTANTIATE(FloatPart);
#undef CDT_INSTANTIATE

}  // namespace cdt
