// Dropout masks of attention scores as bits, drawn once for all kernels of a pass.
#include "engine/cuda/fused_attention.cuh"

namespace cdt {
namespace {

constexpr int kWarps = 8;
constexpr int kWordBits = 32;

/// The row of 32 whose bit kept_bit() gives to a lane; so a ballot has its bits where they belong.
__device__ __forceinline__ int row_of_lane(int lane) {
  const int pair = lane / 8;        // 2 (n % 2) + e
  const int shift = 7 - lane % 8;   // 2t + n / 2
  return 8 * (shift % 2 * 2 + pair / 2) + shift / 2 * 2 + pair % 2;
}

/// A warp draws 32 rows by 64 columns, a lane a row. Grid: (32 rows, tiles of columns, heads), the
/// rows of kWarps warps.
template <bool kByKey>
__global__ void draw_kept_kernel(Mask mask, int queries, KeptBits by_query, KeptBits by_key) {
  const int lane = lane_number();
  const int block = static_cast<int>(blockIdx.x) * kWarps + warp_number();  // of 32 rows
  if (block * kWordBits >= by_query.padded) return;
  const int tile = static_cast<int>(blockIdx.y);
  const int head = static_cast<int>(blockIdx.z);
  const int i = block * kWordBits + row_of_lane(lane);
  const auto number = static_cast<std::uint32_t>(head) * static_cast<std::uint32_t>(queries) +
                      static_cast<std::uint32_t>(i);
  uint2 mine = make_uint2(0, 0);  // of row i
  uint2 keys = make_uint2(0, 0);  // of columns lane and 32 + lane: a bit for each row
#pragma unroll
  for (int c = 0; c < 16; ++c) {
    const uint4 draw =
        philox(make_uint4(static_cast<std::uint32_t>(16 * tile + c), number, mask.site, *mask.step),
               mask.key0, mask.key1);
    const bool kept[4] = {draw.x >= mask.threshold, draw.y >= mask.threshold,
                          draw.z >= mask.threshold, draw.w >= mask.threshold};
    mine.x |= (kept[0] ? 1U << kept_bit(c) : 0U) | (kept[1] ? 1U << kept_bit(c + 16) : 0U);
    mine.y |= (kept[2] ? 1U << kept_bit(c + 32) : 0U) | (kept[3] ? 1U << kept_bit(c + 48) : 0U);
    if constexpr (kByKey) {
      const unsigned column[4] = {
          __ballot_sync(0xFFFFFFFFU, kept[0] ? 1 : 0), __ballot_sync(0xFFFFFFFFU, kept[1] ? 1 : 0),
          __ballot_sync(0xFFFFFFFFU, kept[2] ? 1 : 0), __ballot_sync(0xFFFFFFFFU, kept[3] ? 1 : 0)};
      if (lane == c) keys = make_uint2(column[0], column[2]);
      if (lane == c + 16) keys = make_uint2(column[1], column[3]);
    }
  }
  by_query.words[std::int64_t{head * by_query.tiles + tile} * by_query.padded + i] = mine;
  if constexpr (kByKey) {
    auto* const words = reinterpret_cast<std::uint32_t*>(by_key.words);
    const std::int64_t row =
        std::int64_t{head * by_key.tiles + block / 2} * by_key.padded + tile * kKeptColumns + lane;
    if (block / 2 >= by_key.tiles) return;
    words[2 * row + block % 2] = keys.x;
    words[2 * (row + kWordBits) + block % 2] = keys.y;
  }
}

}  // namespace

void draw_kept(cudaStream_t stream, const Mask& mask, int heads, int queries,
               const KeptBits& by_query, const KeptBits& by_key) {
  const dim3 grid(blocks_for(by_query.padded, kWordBits * kWarps),
                  static_cast<unsigned>(by_query.tiles), static_cast<unsigned>(heads));
  launch(stream, by_key.words != nullptr ? draw_kept_kernel<true> : draw_kept_kernel<false>, grid,
         32 * kWarps, mask, queries, by_query, by_key);
}

}  // namespace cdt
