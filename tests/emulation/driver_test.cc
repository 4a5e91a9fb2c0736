// The emulated driver's virtual memory API, looked up as programs do.
#include <dlfcn.h>

#include <string>

#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "tests/emulation/checked_test.h"
#include "tests/emulation/device_buffer.h"
#include "tests/emulation/include/cuda.h"
#include "tests/emulation/planted_kernels.h"

namespace cdt::test {
namespace {

constexpr std::size_t kPage = 4096;
constexpr CUmemAllocationProp kOnDevice{CU_MEM_ALLOCATION_TYPE_PINNED,
                                        {CU_MEM_LOCATION_TYPE_DEVICE, 0}};

class DriverMemory : public CheckedTest {
 protected:
  void SetUp() override {
    CheckedTest::SetUp();
    ASSERT_EQ(cuMemAddressReserve(&base_, 4 * kPage, 0, 0, 0), CUDA_SUCCESS);
  }
  void TearDown() override {
    EXPECT_EQ(cuMemAddressFree(base_, 4 * kPage), CUDA_SUCCESS);
    CheckedTest::TearDown();
  }
  /// Maps a piece of one page at page `page` of the reservation.
  CUmemGenericAllocationHandle map(std::size_t page) {
    CUmemGenericAllocationHandle handle = 0;
    EXPECT_EQ(cuMemCreate(&handle, kPage, &kOnDevice, 0), CUDA_SUCCESS);
    EXPECT_EQ(cuMemMap(base_ + page * kPage, kPage, 0, handle, 0), CUDA_SUCCESS);
    const CUmemAccessDesc access{kOnDevice.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    EXPECT_EQ(cuMemSetAccess(base_ + page * kPage, kPage, &access, 1), CUDA_SUCCESS);
    return handle;
  }
  void unmap(std::size_t page, CUmemGenericAllocationHandle handle) {
    EXPECT_EQ(cuMemUnmap(base_ + page * kPage, kPage), CUDA_SUCCESS);
    EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address that came as a number
  float* floats() const { return reinterpret_cast<float*>(base_); }

  CUdeviceptr base_ = 0;
};

TEST_F(DriverMemory, IsFoundInTheDriverLibrary) {
  void* const library = dlopen("libcuda.so.1", RTLD_NOW);
  ASSERT_NE(library, nullptr);
  EXPECT_EQ(dlsym(library, "cuMemMap"), reinterpret_cast<void*>(&cuMemMap));
  EXPECT_EQ(dlsym(library, "cuInit"), nullptr);
  setenv("CDT_EMULATED_DEVICES", "0", 1);
  EXPECT_EQ(dlopen("libcuda.so.1", RTLD_NOW), nullptr);
  unsetenv("CDT_EMULATED_DEVICES");
}

/// More addresses than a process has.
TEST_F(DriverMemory, WithoutAddressSpaceNothingIsReserved) {
  const auto backend = make_cuda_backend({});
  EXPECT_EQ(backend->reserve(std::size_t{1} << 50U), nullptr);
  Arena arena(*backend, "step");
  try {
    arena.tensor({std::int64_t{1} << 48U});
    FAIL() << "no error";
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(what.find("arena step: no 1125899906842"), 0U) << what;
    EXPECT_NE(what.find("out of memory: the process may reserve no more address space"),
              std::string::npos)
        << what;
  }
  EXPECT_EQ(arena.tensor({8}).count(), 8);
}

TEST_F(DriverMemory, KernelsReachMappedPiecesOnly) {
  const DeviceBuffer in(std::vector<float>(2000, 1.0F));
  const auto first = map(0);
  const auto second = map(1);
  ASSERT_EQ(launch_copy(in.data(), floats(), 2000, 0), cudaSuccess);
  std::vector<float> back(2000);
  ASSERT_EQ(cudaMemcpy(back.data(), floats(), 8000, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(back[1999], 1.0F);
  const DeviceBuffer longer(std::vector<float>(2049, 1.0F));
  launch_copy(longer.data(), floats(), 2049, 0);
  expect_finding({"writes byte 8192 of allocation", "where no memory is mapped"});
  EXPECT_EQ(cudaMemcpy(back.data(), floats() + 2048, 4, cudaMemcpyDeviceToHost),
            cudaErrorInvalidValue);
  expect_finding({"the source, 4 bytes, is not device memory"});
  unmap(1, second);
  launch_copy(in.data(), floats(), 1025, 0);
  expect_finding({"writes byte 4096 of allocation"});
  unmap(0, first);
}

TEST_F(DriverMemory, TakesMemoryWhenAPieceIsMadeAndGivesItBack) {
  const emulation::MemoryInfo before = emulation::memory_info();
  const auto handle = map(2);
  EXPECT_EQ(emulation::memory_info().free, before.free - kPage);
  unmap(2, handle);
  EXPECT_EQ(emulation::memory_info().free, before.free);
  CUmemGenericAllocationHandle none = 0;
  const std::size_t too_much = (before.free / kPage + 1) * kPage;
  EXPECT_EQ(cuMemCreate(&none, too_much, &kOnDevice, 0), CUDA_ERROR_OUT_OF_MEMORY);
}

TEST_F(DriverMemory, RefusesMisuse) {
  const auto handle = map(0);
  EXPECT_EQ(cuMemMap(base_ + kPage, kPage, 0, handle, 0), CUDA_ERROR_INVALID_VALUE);
  expect_finding({"no whole, unmapped piece"});
  EXPECT_EQ(cuMemAddressFree(base_, 4 * kPage), CUDA_ERROR_INVALID_VALUE);
  expect_finding({"freed with memory mapped into it"});
  EXPECT_EQ(cuMemUnmap(base_ + kPage, kPage), CUDA_ERROR_INVALID_VALUE);
  expect_finding({"no piece of memory is mapped here"});
  unmap(0, handle);
}

}  // namespace
}  // namespace cdt::test
