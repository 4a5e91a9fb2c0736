// PTX instructions without a C++ equivalent: products of 8x8 blocks on tensor cores, asynchronous
// copies into shared memory, and a few single-step ones. All lanes of a warp take part in products
// and in loads of blocks. Fragments are those of PTX's mma.m16n8k16 and, in tf32, m16n8k8: with g =
// lane / 4, t = lane % 4,
//   a (16, 16): {(g, 2t..), (g + 8, 2t..), (g, 2t + 8..), (g + 8, 2t + 8..)}, two bfloat16 each
//   b (16, 8):  {(2t.., g), (2t + 8.., g)}, two bfloat16 each
//   a (16, 8):  {(g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4)}, tf32
//   b (8, 8):   {(t, g), (t + 4, g)}, tf32
//   c (16, 8):  {(g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1)}, float32
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// The emulation's cuda_runtime.h defines its own versions.
#if defined(__CUDACC__)
#define CDT_DYNAMIC_SHARED(T, name)                      \
  extern __shared__ __align__(16) char name##_dynamic[]; \
  T* const name = reinterpret_cast<T*>(name##_dynamic)

namespace cdt::ptx {

/// c += a b in bfloat16.
__device__ __forceinline__ void mma(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                    std::uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// c += a b in tf32.
__device__ __forceinline__ void mma_tf32(float (&c)[4], const std::uint32_t (&a)[4],
                                         std::uint32_t b0, std::uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__device__ __forceinline__ std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

/// Loads four 8x8 blocks of 16-bit elements from shared memory. Lane 8 i + r passes the address of
/// row r of block i and gets elements (g, 2t), (g, 2t + 1) of each block.
__device__ __forceinline__ void load_blocks(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

/// Like load_blocks(), but transposes the blocks: the lane gets elements (2t, g), (2t + 1, g).
__device__ __forceinline__ void load_blocks_transposed(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

/// Starts an asynchronous copy of 16 or 8 bytes from global to shared memory; with `zero`, writes
/// zeros and does not read `from`.
template <int kBytes = 16>
__device__ __forceinline__ void copy_later(void* to, const void* from, bool zero) {
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :
                 : "r"(shared_address(to)), "l"(from), "r"(zero ? 0 : 16)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;"
                 :
                 : "r"(shared_address(to)), "l"(from), "r"(zero ? 0 : 8)
                 : "memory");
  }
}
/// Starts an asynchronous copy of 16 bytes; only the first `bytes`, 0 to 16, are read, the others
/// become 0.
__device__ __forceinline__ void copy_part_later(void* to, const void* from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
               :
               : "r"(shared_address(to)), "l"(from), "r"(bytes)
               : "memory");
}
/// Groups the copies that this thread started since the last call.
__device__ __forceinline__ void close_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Waits until all but this thread's newest `kLeft` groups have arrived.
template <int kLeft>
__device__ __forceinline__ void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
}

/// Rounds two numbers to bfloat16 and packs them, the first in the lower half.
__device__ __forceinline__ std::uint32_t pack(float low, float high) {
  std::uint32_t both;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
}
/// Returns 2^x within 2 ulp; subnormal results become 0.
__device__ __forceinline__ float exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// Returns 2 * word, plus 1 if x + y overflows 32 bits.
__device__ __forceinline__ std::uint32_t append_carry(std::uint32_t word, std::uint32_t x,
                                                      std::uint32_t y) {
  std::uint32_t longer;
  asm("{\n\t.reg .u32 sum;\n\tadd.cc.u32 sum, %1, %2;\n\taddc.u32 %0, %3, %3;\n\t}"
      : "=r"(longer)
      : "r"(x), "r"(y), "r"(word));
  return longer;
}

/// Returns the word whose bytes are, from the lowest, byte 0 of x and of y, byte 1 of x and of y.
__device__ __forceinline__ std::uint32_t interleave_bytes(std::uint32_t x, std::uint32_t y) {
  std::uint32_t bytes;
  asm("prmt.b32 %0, %1, %2, 0x5140;" : "=r"(bytes) : "r"(x), "r"(y));
  return bytes;
}

/// Returns a word whose byte i is 0xFF if the sign bit of byte `kSelector >> 4 i & 3` of x is set,
/// else 0. Every digit of the selector is 8 plus a byte index.
template <std::uint32_t kSelector>
__device__ __forceinline__ std::uint32_t spread_signs(std::uint32_t x) {
  std::uint32_t bytes;
  asm("prmt.b32 %0, %1, 0, %2;" : "=r"(bytes) : "r"(x), "n"(kSelector));
  return bytes;
}

}  // namespace cdt::ptx
#endif
