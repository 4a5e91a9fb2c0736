// The emulation runs correct kernels correctly, and finds each planted mistake.
#include "tests/emulation/planted_kernels.h"

#include <cmath>
#include <numeric>

#include "tests/emulation/checked_test.h"
#include "tests/emulation/device_buffer.h"

namespace cdt::test {
namespace {

using emulation::Placement;

std::vector<float> ramp(std::size_t n) {
  std::vector<float> v(n);
  std::iota(v.begin(), v.end(), 0.0F);
  return v;
}

class EmulatedKernels : public CheckedTest {};

TEST_F(EmulatedKernels, SumsOfRowsWithShufflesAndABarrier) {
  for (const Placement placement : {Placement::kEnd, Placement::kStart}) {
    emulation::set_placement(placement, 16);
    for (const int n : {1, 31, 32, 33, 95, 96, 97, 500}) {
      const DeviceBuffer in(ramp(3 * static_cast<std::size_t>(n)));
      const DeviceBuffer out(3);
      ASSERT_EQ(launch_row_sum(in.data(), out.data(), 3, n), cudaSuccess);
      const auto sums = out.values();
      for (int row = 0; row < 3; ++row) {
        const int first = row * n;
        EXPECT_EQ(sums[static_cast<std::size_t>(row)],
                  0.5F * static_cast<float>(n * (2 * first + n - 1)));
      }
    }
  }
}

TEST_F(EmulatedKernels, TransposeThroughSharedMemory) {
  for (const unsigned n : {1U, 7U, 31U, 32U}) {
    const DeviceBuffer in(ramp(std::size_t{n} * n));
    const DeviceBuffer out(std::size_t{n} * n);
    ASSERT_EQ(launch_transpose(in.data(), out.data(), n, true), cudaSuccess);
    const auto values = out.values();
    for (unsigned i = 0; i < n * n; ++i) {
      const unsigned from = i % n * n + i / n;
      EXPECT_EQ(values[i], static_cast<float>(from));
    }
  }
}

TEST_F(EmulatedKernels, WarpExchanges) {
  const DeviceBuffer out(256);
  ASSERT_EQ(launch_planted(Planted::kExchanges, out.data()), cudaSuccess);
  const auto v = out.values();
  for (std::size_t lane = 0; lane < 32; ++lane) {
    const auto x = static_cast<float>(lane);
    const auto third = lane / 8 * 8 + 3;
    EXPECT_EQ(v[lane], static_cast<float>(third));
    EXPECT_EQ(v[32 + lane], lane < 2 ? x : x - 2);
    EXPECT_EQ(v[64 + lane], lane < 27 ? x + 5 : x);
    EXPECT_EQ(v[96 + lane], static_cast<float>(lane ^ 16U));
    EXPECT_EQ(v[128 + lane], 7.0F);
    EXPECT_EQ(v[160 + lane], 1.0F);
    EXPECT_EQ(v[192 + lane], 0.0F);
    EXPECT_EQ(v[224 + lane], lane < 16 ? static_cast<float>(lane ^ 1U) : -1.0F);
  }
}

TEST_F(EmulatedKernels, FindsAMissingBarrier) {
  const DeviceBuffer in(ramp(std::size_t{96} * 2));
  const DeviceBuffer out(std::size_t{64} * 16);
  launch_row_sum(in.data(), out.data(), 2, 96, false);
  expect_finding({"row_sum", "results differ between ascending and"});
  launch_transpose(in.data(), out.data(), 8, false);
  expect_finding({"transpose", "results differ", "of allocation"});
  launch_two_rounds(out.data(), false);
  expect_finding({"two_rounds", "results differ"});
  ASSERT_EQ(launch_two_rounds(out.data(), true), cudaSuccess);
  EXPECT_EQ(out.values()[63], 3.0F);
}

TEST_F(EmulatedKernels, FindsBlocksThatWriteTheSamePlace) {
  const DeviceBuffer out(1);
  launch_planted(Planted::kRace, out.data());
  expect_finding({"race", "results differ", "byte 0 of allocation"});
}

TEST_F(EmulatedKernels, FindsReadsAndWritesOutsideAnAllocation) {
  const DeviceBuffer in(ramp(64));
  const DeviceBuffer out(64);
  EXPECT_EQ(launch_copy(in.data(), out.data(), 64, 1), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  expect_finding(
      {"copy: thread (63, 0, 0) of block (0, 0, 0) reads 0 bytes past the end of", "256 bytes"});
  launch_copy(in.data(), out.data(), 65, 0);
  expect_finding({"thread (0, 0, 0) of block (1, 0, 0) reads 0 bytes past the end"});
  const DeviceBuffer longer(ramp(128));
  launch_copy(longer.data(), out.data(), 65, 0);
  expect_finding({"writes 0 bytes past the end"});
  emulation::set_placement(Placement::kStart);
  const DeviceBuffer low(ramp(64));
  launch_copy(low.data(), out.data(), 64, -1);
  expect_finding({"thread (0, 0, 0)", "reads 4 bytes before allocation"});
  EXPECT_EQ(launch_copy(low.data(), out.data(), 64, 0), cudaSuccess);
  EXPECT_EQ(out.values()[5], 5.0F);
}

TEST_F(EmulatedKernels, FindsWritesIntoTheGapBesideAnAllocation) {
  // 60 bytes, aligned to 256: the guard is 196 bytes after the end.
  const DeviceBuffer in(ramp(16));
  const DeviceBuffer out(15);
  launch_copy(in.data(), out.data(), 16, 0);
  expect_finding({"bytes just behind allocation", "(60 bytes) were written"});
}

TEST_F(EmulatedKernels, FindsUseAfterFree) {
  const DeviceBuffer out(64);
  float* data = nullptr;
  ASSERT_EQ(cudaMalloc(&data, 256), cudaSuccess);
  ASSERT_EQ(cudaFree(data), cudaSuccess);
  EXPECT_EQ(launch_copy(data, out.data(), 64, 0), cudaErrorInvalidValue);
  expect_finding({"copy: parameter 0 points to freed: byte 0 of allocation"});
  EXPECT_EQ(cudaFree(data), cudaErrorInvalidValue);
  expect_finding({"cudaFree of what is no allocation"});
}

TEST_F(EmulatedKernels, FindsParametersThatPointToTheHost) {
  const DeviceBuffer out(64);
  const std::vector<float> host(64);
  EXPECT_EQ(launch_copy(host.data(), out.data(), 64, 0), cudaErrorInvalidValue);
  expect_finding({"parameter 0 points to memory of the host"});
}

TEST_F(EmulatedKernels, FreshMemoryIsNaN) {
  const DeviceBuffer in(100);
  const DeviceBuffer out(100);
  ASSERT_EQ(launch_copy(in.data(), out.data(), 100, 0), cudaSuccess);
  for (const float x : out.values()) EXPECT_TRUE(std::isnan(x));
}

TEST_F(EmulatedKernels, FindsUninitialisedSharedMemory) {
  const DeviceBuffer out(64);
  launch_planted(Planted::kUninitialisedShared, out.data());
  expect_finding({"uninitialised_shared", "results differ", "byte 0 of"});
}

TEST_F(EmulatedKernels, FindsDivergentBarriers) {
  const DeviceBuffer out(64);
  launch_planted(Planted::kEarlyExit, out.data());
  expect_finding({"divergent barrier", "thread (0, 0, 0) waits at __syncthreads",
                  "thread (41, 0, 0) has ended", "block (0, 0, 0)"});
  launch_planted(Planted::kTwoBarriers, out.data());
  expect_finding({"two_barriers: divergent barrier", "planted_kernels.cu"});
}

TEST_F(EmulatedKernels, FindsLanesThatDoNotArrive) {
  const DeviceBuffer out(64);
  launch_planted(Planted::kMissingLane, out.data());
  expect_finding(
      {"__shfl_down_sync", "lane 5 of warp 0 is in the mask and does not arrive: it has ended"});
  launch_planted(Planted::kOutsideOwnMask, out.data());
  expect_finding({"__shfl_sync", "the caller is not in its own mask"});
}

TEST_F(EmulatedKernels, MatrixProductsOfAWarp) {
  const DeviceBuffer out(std::size_t{16} * 8);
  ASSERT_EQ(launch_matrix_product(out.data(), true), cudaSuccess);
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  for (int r = 0; r < 16; ++r) {
    for (int c = 0; c < 8; ++c) {
      int sum = 0;
      for (int k = 0; k < 16; ++k) sum += (r + k) * (c - k);
      EXPECT_EQ(out.values()[static_cast<std::size_t>(r * 8 + c)], static_cast<float>(sum));
    }
  }
  launch_matrix_product(out.data(), false);
  expect_finding({"matrix_product", "ldmatrix.sync", "not a multiple of 16"});
  launch_planted(Planted::kProductOf31, out.data());
  expect_finding({"mma.sync", "lane 5 of warp 0", "has ended"});
}

TEST_F(EmulatedKernels, FindsReadsBeforeACopyIsThere) {
  const DeviceBuffer in(ramp(64));
  const DeviceBuffer out(64);
  ASSERT_EQ(launch_copied_later(in.data(), out.data(), true), cudaSuccess);
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(out.values()[18], 9.0F);
  launch_copied_later(in.data(), out.data(), false);
  expect_finding({"copied_later", "results differ"});
}

TEST_F(EmulatedKernels, FindsMisalignedVectorAccess) {
  const DeviceBuffer in(ramp(32));
  const DeviceBuffer out(16);
  ASSERT_EQ(launch_copy4(in.data(), out.data(), 0), cudaSuccess);
  EXPECT_EQ(out.values()[4], 22.0F);
  launch_copy4(in.data(), out.data(), 1);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMisalignedAddress);
  expect_finding({"copy4: thread (0, 0, 0)", "misaligned", "planted_kernels.cu"});
}

TEST_F(EmulatedKernels, FindsIndicesOutsideSharedMemory) {
  const DeviceBuffer out(64);
  ASSERT_EQ(launch_planted(Planted::kSharedIndex, out.data(), 0), cudaSuccess);
  launch_planted(Planted::kSharedIndex, out.data(), 1);
  expect_finding({"shared_index: thread (63, 0, 0)", "index outside an array"});
  ASSERT_EQ(launch_planted(Planted::kDynamicSum, out.data(), 64), cudaSuccess);
  EXPECT_EQ(out.values()[0], 64.0F);
  launch_planted(Planted::kDynamicSum, out.data(), 65);
  expect_finding({"writes 0 bytes past the end of dynamic shared memory (256 bytes)"});
}

TEST_F(EmulatedKernels, RefusesConfigurationsThatADeviceRefuses) {
  const DeviceBuffer out(1);
  for (const dim3 block : {dim3(0), dim3(1025), dim3(32, 33), dim3(1, 1, 65)}) {
    EXPECT_EQ(launch_shaped(1, block, 0, out.data()), cudaErrorInvalidConfiguration);
    expect_finding({"race: a block of"});
  }
  for (const dim3 grid : {dim3(0), dim3(1, 65536), dim3(1, 1, 0)}) {
    EXPECT_EQ(launch_shaped(grid, 1, 0, out.data()), cudaErrorInvalidConfiguration);
    expect_finding({"race: a grid of"});
  }
  EXPECT_EQ(launch_shaped(1, 1, std::size_t{48} * 1024 + 1, out.data()), cudaErrorInvalidValue);
  expect_finding({"bytes of dynamic shared memory"});
  EXPECT_EQ(launch_shaped(1, 1024, std::size_t{48} * 1024, out.data()), cudaSuccess);
}

TEST_F(EmulatedKernels, AnErrorInAKernelStays) {
  const DeviceBuffer out(64);
  launch_planted(Planted::kEarlyExit, out.data());
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  float* data = nullptr;
  EXPECT_EQ(cudaMalloc(&data, 4), cudaErrorLaunchFailure);
  expect_finding({"divergent"});
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(EmulatedKernels, TheHostCannotTouchDeviceMemory) {
  const DeviceBuffer in(ramp(4));
  EXPECT_DEATH(
      {
        volatile const float* p = in.data();
        static_cast<void>(p[1]);
      },
      "the host touches device memory: byte 4 of allocation");
}

}  // namespace
}  // namespace cdt::test
