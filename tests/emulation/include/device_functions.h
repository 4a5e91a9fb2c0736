// Functions of device code: barriers, warp exchange, atomics, arithmetic. One thread runs at a time
// and yields only at barriers and warp operations.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tests/emulation/include/device_language.h"

namespace cdt::emulation {

/// The source location where a thread waits; waits at different locations do not meet.
struct Site {
  const char* file;
  int line;
};

enum class WarpOp : std::uint8_t {
  kSync,
  kShuffle,
  kShuffleUp,
  kShuffleDown,
  kShuffleXor,
  kBallot,
  kAny,
  kAll,
  kMatrixProduct,
  kMatrixLoad
};

/// Waits until every thread of the block has arrived. Returns how many have a non-zero `value`.
int block_barrier(bool value, Site site);
/// Waits until every lane of `mask` has arrived with the same operation and mask. Shuffles return
/// the value of the lane that `argument` selects within `width` lanes; ballot, any and all work
/// over the mask.
std::uint64_t warp_exchange(WarpOp op, unsigned mask, std::uint64_t value, int argument, int width,
                            Site site);

template <class T>
T shuffle(WarpOp op, unsigned mask, T value, int argument, int width, Site site) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = warp_exchange(op, mask, bits, argument, width, site);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

}  // namespace cdt::emulation

// NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier)
#define CDT_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(CDT_SITE) { cdt::emulation::block_barrier(false, {file, line}); }
inline int __syncthreads_count(int predicate, CDT_SITE) {
  return cdt::emulation::block_barrier(predicate != 0, {file, line});
}
inline int __syncthreads_or(int predicate, CDT_SITE) {
  return static_cast<int>(cdt::emulation::block_barrier(predicate != 0, {file, line}) > 0);
}
inline void __syncwarp(unsigned mask = 0xffffffffU, CDT_SITE) {
  cdt::emulation::warp_exchange(cdt::emulation::WarpOp::kSync, mask, 0, 0, 32, {file, line});
}
template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32, CDT_SITE) {
  return cdt::emulation::shuffle(cdt::emulation::WarpOp::kShuffle, mask, value, lane, width,
                                 {file, line});
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, CDT_SITE) {
  return cdt::emulation::shuffle(cdt::emulation::WarpOp::kShuffleUp, mask, value,
                                 static_cast<int>(delta), width, {file, line});
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, CDT_SITE) {
  return cdt::emulation::shuffle(cdt::emulation::WarpOp::kShuffleDown, mask, value,
                                 static_cast<int>(delta), width, {file, line});
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32, CDT_SITE) {
  return cdt::emulation::shuffle(cdt::emulation::WarpOp::kShuffleXor, mask, value, lane_mask, width,
                                 {file, line});
}
inline unsigned __ballot_sync(unsigned mask, int predicate, CDT_SITE) {
  return static_cast<unsigned>(cdt::emulation::warp_exchange(
      cdt::emulation::WarpOp::kBallot, mask, static_cast<std::uint64_t>(predicate != 0), 0, 32,
      {file, line}));
}
inline int __any_sync(unsigned mask, int predicate, CDT_SITE) {
  return static_cast<int>(cdt::emulation::warp_exchange(cdt::emulation::WarpOp::kAny, mask,
                                                        static_cast<std::uint64_t>(predicate != 0),
                                                        0, 32, {file, line}));
}
inline int __all_sync(unsigned mask, int predicate, CDT_SITE) {
  return static_cast<int>(cdt::emulation::warp_exchange(cdt::emulation::WarpOp::kAll, mask,
                                                        static_cast<std::uint64_t>(predicate != 0),
                                                        0, 32, {file, line}));
}
#undef CDT_SITE

inline void __threadfence() {}
inline void __threadfence_block() {}
template <class T>
T __ldg(const T* p) {
  return *p;
}
template <class T>
T __ldcs(const T* p) {
  return *p;
}
template <class T>
void __stcs(T* p, T value) {
  *p = value;
}

/// One thread runs at a time, so a plain read and write is atomic.
template <class T>
T atomicAdd(T* p, T value) {
  const T old = *p;
  *p = old + value;
  return old;
}
template <class T>
T atomicMax(T* p, T value) {
  const T old = *p;
  *p = old < value ? value : old;
  return old;
}
template <class T>
T atomicMin(T* p, T value) {
  const T old = *p;
  *p = value < old ? value : old;
  return old;
}
template <class T>
T atomicExch(T* p, T value) {
  const T old = *p;
  *p = value;
  return old;
}

inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((std::uint64_t{a} * b) >> 32U);
}
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
using std::isfinite;
using std::isinf;
using std::isnan;
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1.0F / x; }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float __frsqrt_rn(float x) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(x)));
}
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float rsqrtf(float x) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(x))); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float normcdff(float x) { return 0.5F * std::erfc(-x * 0.70710678118654752F); }

// clang-format off
#define CDT_MIN_MAX(T)                                 \
  inline constexpr T min(T a, T b) { return b < a ? b : a; } \
  inline constexpr T max(T a, T b) { return a < b ? b : a; }
// clang-format on
CDT_MIN_MAX(int)
CDT_MIN_MAX(unsigned)
CDT_MIN_MAX(long)
CDT_MIN_MAX(unsigned long)
CDT_MIN_MAX(long long)
CDT_MIN_MAX(unsigned long long)
#undef CDT_MIN_MAX
inline float min(float a, float b) { return std::fmin(a, b); }
inline float max(float a, float b) { return std::fmax(a, b); }
inline double min(double a, double b) { return std::fmin(a, b); }
inline double max(double a, double b) { return std::fmax(a, b); }
// NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier)
