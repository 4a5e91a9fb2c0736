// The instructions of engine/cuda/ptx.cuh, on the host.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "engine/bfloat16.h"
#include "tests/emulation/include/device_functions.h"

namespace cdt::emulation {

/// Publishes the registers of every lane of the warp, by address; all lanes must call. The
/// addresses are valid until the next call of any warp operation.
const void* const* lanes_registers(WarpOp op, const void* mine, Site site);

/// A copy into shared memory that happens at some time before wait_copies() returns: at once under
/// one order of threads (block.h), as late as possible under the others. `read` of the bytes are
/// copied; the others become 0.
void copy_later(void* to, const void* from, std::size_t bytes, std::size_t read, Site site);
void close_copies();
void wait_copies(int left);

}  // namespace cdt::emulation

namespace cdt::ptx {

#define CDT_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

void mma(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1, CDT_SITE);
void mma_tf32(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1,
              CDT_SITE);
void load_blocks(std::uint32_t (&r)[4], const void* row, CDT_SITE);
void load_blocks_transposed(std::uint32_t (&r)[4], const void* row, CDT_SITE);
template <int kBytes = 16>
void copy_later(void* to, const void* from, bool zero, CDT_SITE) {
  emulation::copy_later(to, from, kBytes, zero ? 0 : kBytes, {file, line});
}
inline void copy_part_later(void* to, const void* from, int bytes, CDT_SITE) {
  emulation::copy_later(to, from, 16, static_cast<std::size_t>(bytes), {file, line});
}
inline void close_copies() { emulation::close_copies(); }
template <int kLeft>
void wait_copies() {
  emulation::wait_copies(kLeft);
}
#undef CDT_SITE

inline std::uint32_t pack(float low, float high) {
  return to_bfloat16(low).bits | static_cast<std::uint32_t>(to_bfloat16(high).bits) << 16U;
}
inline float exp2(float x) {
  const float y = std::exp2(x);
  return y < 0x1p-126F ? 0.0F : y;
}
inline std::uint32_t append_carry(std::uint32_t word, std::uint32_t x, std::uint32_t y) {
  return 2 * word + (x + y < x ? 1U : 0U);
}
inline std::uint32_t interleave_bytes(std::uint32_t x, std::uint32_t y) {
  return (x & 0xFFU) | (y & 0xFFU) << 8U | (x & 0xFF00U) << 8U | (y & 0xFF00U) << 16U;
}
template <std::uint32_t kSelector>
std::uint32_t spread_signs(std::uint32_t x) {
  std::uint32_t bytes = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned from = kSelector >> (4 * i) & 3U;
    if ((x >> (8 * from + 7) & 1U) != 0) bytes |= 0xFFU << (8 * i);
  }
  return bytes;
}

}  // namespace cdt::ptx
