// The kernel language in terms of C++: qualifiers, vector types, thread coordinates.
#pragma once

#include <cstddef>

// NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier,
// bugprone-macro-parentheses)
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __constant__ static
/// Blocks run one at a time, so memory shared by a block can be static. The tag marks the
/// variable's name in the symbol table, where the emulation finds it to fill it with NaN before
/// each block.
#define __shared__ static __attribute__((abi_tag("cdt_shared")))

namespace cdt::emulation {
/// Dynamic shared memory of the running block, aligned to 16 bytes.
void* dynamic_shared();
}  // namespace cdt::emulation

/// `extern __shared__ T name[]`, in a form that nvcc and the host compiler both accept.
#define CDT_DYNAMIC_SHARED(T, name) \
  T* const name = static_cast<T*>(::cdt::emulation::dynamic_shared())

// clang-format off
#define CDT_EMULATED_VECTOR(T, name, align2, align4)         \
  struct name##1 { T x; };                                   \
  struct alignas(align2) name##2 { T x, y; };                \
  struct name##3 { T x, y, z; };                             \
  struct alignas(align4) name##4 { T x, y, z, w; };          \
  inline name##1 make_##name##1(T x) { return {x}; }         \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; } \
  inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; } \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
CDT_EMULATED_VECTOR(float, float, 8, 16)
CDT_EMULATED_VECTOR(int, int, 8, 16)
CDT_EMULATED_VECTOR(unsigned, uint, 8, 16)
CDT_EMULATED_VECTOR(short, short, 4, 8)
CDT_EMULATED_VECTOR(unsigned short, ushort, 4, 8)
CDT_EMULATED_VECTOR(double, double, 16, 16)
#undef CDT_EMULATED_VECTOR
// clang-format on

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x(vx), y(vy), z(vz) {}
};

/// Coordinates of the running thread. Not const here, but no kernel writes them.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
constexpr int warpSize = 32;
// NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier,
// bugprone-macro-parentheses)
