// Several devices: each thread chooses its own, and work that goes to another one is found.
#include <cstdlib>
#include <future>

#include "engine/backend.h"
#include "tests/emulation/checked_test.h"
#include "tests/emulation/device_buffer.h"
#include "tests/emulation/planted_kernels.h"

namespace cdt::test {
namespace {

constexpr std::size_t kCount = 64;

class TwoDevices : public CheckedTest {
 protected:
  void SetUp() override {
    setenv("CDT_EMULATED_DEVICES", "2", 1);
    CheckedTest::SetUp();
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  }
  void TearDown() override {
    CheckedTest::TearDown();
    EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
    unsetenv("CDT_EMULATED_DEVICES");
  }
};

void on_a_thread_of_its_own(const std::function<void()>& body) {
  std::async(std::launch::async, body).get();  // rethrows
}

TEST_F(TwoDevices, AThreadBeginsOnDeviceZero) {
  int device = -1;
  on_a_thread_of_its_own([&] { EXPECT_EQ(cudaGetDevice(&device), cudaSuccess); });
  EXPECT_EQ(device, 0);
  ASSERT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(device, 1);
  EXPECT_EQ(cudaSetDevice(2), cudaErrorInvalidDevice);
}

TEST_F(TwoDevices, FindsAThreadThatHasChosenNone) {
  void* p = nullptr;
  on_a_thread_of_its_own([&] { EXPECT_EQ(cudaMallocHost(&p, 4), cudaErrorInvalidDevice); });
  expect_finding({"cudaMallocHost on a thread that has chosen none of 2 devices"});
}

TEST_F(TwoDevices, FindsStreamsAndEventsOfAnotherDevice) {
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  const std::pair<std::function<cudaError_t()>, const char*> calls[] = {
      {[&] { return cudaStreamSynchronize(stream); },
       "cudaStreamSynchronize: a stream of device 1"},
      {[&] { return cudaEventSynchronize(event); }, "cudaEventSynchronize: an event of device 1"},
      {[&] { return cudaEventRecord(event, nullptr); }, "cudaEventRecord: an event of device 1"},
      {[&] { return cudaStreamWaitEvent(stream, event); }, "work for a stream of device 1"}};
  ASSERT_EQ(cudaEventRecord(event, stream), cudaSuccess);
  for (const auto& [call, finding] : calls) {
    on_a_thread_of_its_own([&call = call] { EXPECT_EQ(call(), cudaErrorInvalidResourceHandle); });
    expect_finding({finding, "on a thread whose device is 0"});
    EXPECT_EQ(call(), cudaSuccess) << finding;
  }
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

TEST_F(TwoDevices, FindsMemoryOfAnotherDevice) {
  const DeviceBuffer there(std::vector<float>(kCount, 1.0F));
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  const DeviceBuffer here(kCount);
  EXPECT_EQ(launch_copy(there.data(), here.data(), kCount, 0), cudaErrorInvalidValue);
  expect_finding({"points to byte 0 of allocation", "of device 1"});
  EXPECT_EQ(cudaMemcpy(here.data(), there.data(), 4, cudaMemcpyDeviceToDevice),
            cudaErrorInvalidValue);
  expect_finding({"the source, 4 bytes, is not device memory", "of device 1"});
}

// The calls of a feed, from threads that have not used the device before.
TEST_F(TwoDevices, UploadsFromAnyThread) {
  const auto backend = make_cuda_backend({.device = 1});
  Arena arena(*backend, "tensors");
  const Tensor arrived = arena.tensor({kCount});
  const Tensor taken = arena.tensor({kCount});
  auto* const host = static_cast<float*>(backend->reserve_host(kCount * sizeof(float)));
  for (const float value : {1.0F, 2.0F}) {
    on_a_thread_of_its_own([&] {
      backend->wait_upload(0);
      std::fill_n(host, kCount, value);
    });
    on_a_thread_of_its_own([&] { backend->upload_later(arrived, host, 0); });
    backend->take_upload(taken, arrived, 0);
    std::vector<float> back(kCount);
    backend->download(back.data(), taken);
    EXPECT_EQ(back, std::vector<float>(kCount, value));
  }
  backend->release_host(host);
}

}  // namespace
}  // namespace cdt::test
