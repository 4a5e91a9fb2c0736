// Tensor-core products and matrix loads. Every lane publishes its registers; the last lane to
// arrive multiplies for all, and in a load each lane reads from the others, by the fragment layouts
// of mma.m16n8k16 and m16n8k8 (engine/cuda/ptx.cuh).
#include <algorithm>
#include <array>
#include <string>

#include "tests/emulation/block.h"
#include "tests/emulation/include/cuda_runtime.h"
#include "tests/emulation/tensor_core.h"

namespace cdt::emulation {
namespace {

constexpr unsigned kAllLanes = 0xFFFFFFFFU;
std::array<std::array<const void*, 32>, 32> registers;  // [warp][lane]

unsigned lane() { return threadIdx.x % 32; }

/// Half `i` of a register with two values.
float half(std::uint32_t both, int i) {
  return to_float(BFloat16{static_cast<std::uint16_t>(i == 0 ? both : both >> 16U)});
}

/// The inputs of a lane to a product, and its result.
struct Fragments {
  std::uint32_t a[4], b[2];
  float c[4];
};
using Warp = std::array<Fragments*, 32>;
std::array<Warp, 32> at_product;
std::array<unsigned, 32> arrived;  // lanes of each warp

/// Elements (row, k) of a and (k, column) of b, in bfloat16 and in tf32.
float a_element(const Warp& lanes, unsigned row, unsigned k) {
  const auto& of = *lanes[row % 8 * 4 + k % 8 / 2];
  return half(of.a[row / 8 + k / 8 * 2], static_cast<int>(k % 2));
}
float b_element(const Warp& lanes, unsigned k, unsigned column) {
  const auto& of = *lanes[column * 4 + k % 8 / 2];
  return half(of.b[k / 8], static_cast<int>(k % 2));
}
/// Tensor cores ignore the lower 13 bits.
float tf32(std::uint32_t bits) { return __uint_as_float(bits & ~0x1FFFU); }
float a_element_tf32(const Warp& lanes, unsigned row, unsigned k) {
  const auto& of = *lanes[row % 8 * 4 + k % 4];
  return tf32(of.a[row / 8 + k / 4 * 2]);
}
float b_element_tf32(const Warp& lanes, unsigned k, unsigned column) {
  const auto& of = *lanes[column * 4 + k % 4];
  return tf32(of.b[k / 4]);
}

/// Every lane's c += the sum over `depth` of a's elements times b's.
template <class A, class B>
void multiply_warp(const Warp& lanes, unsigned depth, const A& a, const B& b) {
  using Line = std::array<double, kTensorCoreStep>;
  std::array<Line, 16> rows{};
  std::array<Line, 8> columns{};
  for (unsigned k = 0; k < depth; ++k) {
    for (unsigned i = 0; i < rows.size(); ++i) rows[i][k] = static_cast<double>(a(lanes, i, k));
    for (unsigned i = 0; i < columns.size(); ++i) {
      columns[i][k] = static_cast<double>(b(lanes, k, i));
    }
  }
  for (unsigned l = 0; l < lanes.size(); ++l) {
    for (unsigned i = 0; i < 4; ++i) {
      const Line& row = rows[l / 4 + 8 * (i / 2)];
      const Line& column = columns[2 * (l % 4) + i % 2];
      Line products;
      for (std::size_t k = 0; k < products.size(); ++k) products[k] = row[k] * column[k];
      lanes[l]->c[i] = tensor_core_sum(lanes[l]->c[i], products);
    }
  }
}

template <class A, class B>
void multiply(float (&c)[4], Fragments mine, unsigned depth, const A& a, const B& b, Site site) {
  const unsigned warp = threadIdx.x / 32;
  std::copy_n(c, 4, mine.c);
  at_product[warp][lane()] = &mine;
  if (++arrived[warp] == at_product[warp].size()) {
    arrived[warp] = 0;
    multiply_warp(at_product[warp], depth, a, b);
  }
  warp_exchange(WarpOp::kMatrixProduct, kAllLanes, 0, 0, 32, site);
  std::copy_n(mine.c, 4, c);
}

std::uint16_t block_element(const void* const* lanes, unsigned block, unsigned row,
                            unsigned column) {
  const auto* const* address = static_cast<const std::uint16_t* const*>(lanes[8 * block + row]);
  return (*address)[column];
}

void load_blocks(std::uint32_t (&r)[4], const void* row, bool transposed, Site site) {
  if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) {
    give_up(
        "ldmatrix.sync: the address of a row is not a multiple of 16 (" + running_thread() + ")",
        cudaErrorMisalignedAddress);
  }
  const void* const* lanes = lanes_registers(WarpOp::kMatrixLoad, &row, site);
  const unsigned g = lane() / 4;
  const unsigned t = lane() % 4;
  std::uint32_t got[4];
  for (unsigned block = 0; block < 4; ++block) {
    const auto element = [&](unsigned e) -> std::uint32_t {
      return transposed ? block_element(lanes, block, 2 * t + e, g)
                        : block_element(lanes, block, g, 2 * t + e);
    };
    got[block] = element(0) | element(1) << 16U;
  }
  warp_exchange(WarpOp::kMatrixLoad, kAllLanes, 0, 0, 32, site);
  for (unsigned block = 0; block < 4; ++block) r[block] = got[block];
}

}  // namespace

void begin_products() { arrived = {}; }

const void* const* lanes_registers(WarpOp op, const void* mine, Site site) {
  auto& of_warp = registers[threadIdx.x / 32];
  of_warp[lane()] = mine;
  warp_exchange(op, kAllLanes, 0, 0, 32, site);
  return of_warp.data();
}

}  // namespace cdt::emulation

namespace cdt::ptx {

using emulation::Site;
using emulation::WarpOp;

void mma(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1,
         const char* file, int line) {
  constexpr unsigned kDepth = 16;
  emulation::multiply(c, {{a[0], a[1], a[2], a[3]}, {b0, b1}, {}}, kDepth, emulation::a_element,
                      emulation::b_element, {file, line});
}
void mma_tf32(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1,
              const char* file, int line) {
  constexpr unsigned kDepth = 8;
  emulation::multiply(c, {{a[0], a[1], a[2], a[3]}, {b0, b1}, {}}, kDepth,
                      emulation::a_element_tf32, emulation::b_element_tf32, {file, line});
}

void load_blocks(std::uint32_t (&r)[4], const void* row, const char* file, int line) {
  emulation::load_blocks(r, row, false, {file, line});
}
void load_blocks_transposed(std::uint32_t (&r)[4], const void* row, const char* file, int line) {
  emulation::load_blocks(r, row, true, {file, line});
}

}  // namespace cdt::ptx
