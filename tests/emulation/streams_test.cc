// The emulation's streams, events and graphs behave as CUDA documents, and misuse is found.
#include <numeric>

#include "tests/emulation/checked_test.h"
#include "tests/emulation/device_buffer.h"
#include "tests/emulation/planted_kernels.h"

namespace cdt::test {
namespace {

constexpr std::size_t kCount = 64;
constexpr std::size_t kBytes = kCount * sizeof(float);

class Stream {
 public:
  Stream() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  explicit Event(unsigned flags = cudaEventDisableTiming) {
    EXPECT_EQ(cudaEventCreateWithFlags(&event_, flags), cudaSuccess);
  }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Pinned host memory holding `value`.
class Pinned {
 public:
  explicit Pinned(float value) {
    EXPECT_EQ(cudaMallocHost(&data_, kBytes), cudaSuccess);
    fill(value);
  }
  ~Pinned() { cudaFreeHost(data_); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  float* data() const { return data_; }
  void fill(float value) { std::fill_n(data_, kCount, value); }

 private:
  float* data_ = nullptr;
};

class EmulatedStreams : public CheckedTest {
 protected:
  Stream one_, two_;
  Pinned host_{1.0F}, back_{0.0F};
  DeviceBuffer a_{std::vector<float>(kCount, 0.0F)}, b_{std::vector<float>(kCount, 0.0F)};

  void upload(cudaStream_t stream) {
    ASSERT_EQ(cudaMemcpyAsync(a_.data(), host_.data(), kBytes, cudaMemcpyHostToDevice, stream),
              cudaSuccess);
  }
  void copy(cudaStream_t stream) {
    ASSERT_EQ(launch_copy(a_.data(), b_.data(), kCount, 0, stream), cudaSuccess);
  }
  void download(cudaStream_t stream) {
    ASSERT_EQ(cudaMemcpyAsync(back_.data(), b_.data(), kBytes, cudaMemcpyDeviceToHost, stream),
              cudaSuccess);
  }
  cudaGraph_t capture_copy() {
    EXPECT_EQ(cudaStreamBeginCapture(one_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    upload(one_);
    copy(one_);
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(one_, &graph), cudaSuccess);
    return graph;
  }
};

TEST_F(EmulatedStreams, LazyWorkRunsWhenTheHostWaits) {
  emulation::set_lazy(true);
  upload(one_);
  copy(one_);
  download(one_);
  EXPECT_EQ(back_.data()[0], 0.0F) << "nobody has waited yet";
  EXPECT_EQ(cudaStreamQuery(one_), cudaErrorNotReady);
  ASSERT_EQ(cudaStreamSynchronize(one_), cudaSuccess);
  EXPECT_EQ(back_.data()[0], 1.0F);
}

TEST_F(EmulatedStreams, LazyWorkOfAnotherStreamIsSeenThroughAnEventOnly) {
  emulation::set_lazy(true);
  upload(one_);
  copy(two_);
  download(two_);
  ASSERT_EQ(cudaStreamSynchronize(two_), cudaSuccess);
  EXPECT_EQ(back_.data()[0], 0.0F) << "the missing event shows";
  host_.fill(2.0F);
  upload(one_);
  const Event event;
  ASSERT_EQ(cudaEventRecord(event, one_), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(two_, event, 0), cudaSuccess);
  copy(two_);
  download(two_);
  ASSERT_EQ(cudaStreamSynchronize(two_), cudaSuccess);
  EXPECT_EQ(back_.data()[0], 2.0F);
}

TEST_F(EmulatedStreams, TheDefaultStreamWaitsForBlockingStreams) {
  emulation::set_lazy(true);
  cudaStream_t blocking = nullptr;
  ASSERT_EQ(cudaStreamCreate(&blocking), cudaSuccess);
  upload(blocking);
  copy(nullptr);
  download(blocking);
  ASSERT_EQ(cudaStreamSynchronize(blocking), cudaSuccess);
  EXPECT_EQ(back_.data()[0], 1.0F);
  ASSERT_EQ(cudaStreamDestroy(blocking), cudaSuccess);
}

TEST_F(EmulatedStreams, AGraphRunsWhenItIsLaunchedAndAgain) {
  const cudaGraph_t graph = capture_copy();
  EXPECT_EQ(b_.values()[0], 0.0F) << "captured work does not run";
  cudaGraphExec_t exec = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  ASSERT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  for (const float value : {3.0F, 4.0F}) {
    host_.fill(value);
    const std::uint64_t before = emulation::launch_count();
    ASSERT_EQ(cudaGraphLaunch(exec, one_), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(one_), cudaSuccess);
    EXPECT_EQ(emulation::launch_count(), before + 1);
    EXPECT_EQ(b_.values()[63], value);
  }
  ASSERT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
}

// An event that a captured stream records for the outside is recorded by each launch of the graph.
TEST_F(EmulatedStreams, AGraphRecordsEventsForTheOutside) {
  emulation::set_lazy(true);
  const Event begin(cudaEventDefault);
  const Event inside(cudaEventDefault);
  ASSERT_EQ(cudaStreamBeginCapture(one_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  copy(one_);
  ASSERT_EQ(cudaEventRecordWithFlags(inside, one_, cudaEventRecordExternal), cudaSuccess);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(one_, &graph), cudaSuccess);
  cudaGraphExec_t exec = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  ASSERT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(begin, one_), cudaSuccess);
  float before = -1.0F;
  for (int launch = 0; launch < 3; ++launch) {
    ASSERT_EQ(cudaGraphLaunch(exec, one_), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(one_), cudaSuccess);
    float since = 0.0F;
    ASSERT_EQ(cudaEventElapsedTime(&since, begin, inside), cudaSuccess);
    EXPECT_GT(since, before) << "launch " << launch;
    before = since;
  }
  ASSERT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
}

TEST_F(EmulatedStreams, AnExternalRecordBelongsToACapture) {
  const Event event(cudaEventDefault);
  EXPECT_EQ(cudaEventRecordWithFlags(event, one_, cudaEventRecordExternal),
            cudaErrorInvalidResourceHandle);
  expect_finding({"an external record belongs to a captured stream"});
}

TEST_F(EmulatedStreams, AForkedStreamJoinsItsCapture) {
  const Event forked;
  const Event joined;
  cudaGraph_t graph = nullptr;
  for (const bool join : {true, false}) {
    ASSERT_EQ(cudaStreamBeginCapture(one_, cudaStreamCaptureModeGlobal), cudaSuccess);
    upload(one_);
    ASSERT_EQ(cudaEventRecord(forked, one_), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(two_, forked, 0), cudaSuccess);
    copy(two_);
    ASSERT_EQ(cudaEventRecord(joined, two_), cudaSuccess);
    if (join) {
      ASSERT_EQ(cudaStreamWaitEvent(one_, joined, 0), cudaSuccess);
    }
    EXPECT_EQ(cudaStreamEndCapture(one_, &graph),
              join ? cudaSuccess : cudaErrorStreamCaptureUnjoined);
    if (join) {
      EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
    }
  }
  expect_finding({"is not waited for"});
}

// A call that must not happen during a capture fails and breaks it.
TEST_F(EmulatedStreams, CallsThatACaptureForbids) {
  const std::vector<float> pageable(kCount);
  const std::vector<std::function<cudaError_t()>> forbidden = {
      [&] { return cudaStreamSynchronize(one_); }, [&] { return cudaDeviceSynchronize(); },
      [&] {
        void* p = nullptr;
        return cudaMalloc(&p, 4);
      },
      [&] {
        return cudaMemcpyAsync(a_.data(), pageable.data(), kBytes, cudaMemcpyHostToDevice, one_);
      }};
  for (const auto& call : forbidden) {
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cudaStreamBeginCapture(one_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    EXPECT_EQ(call(), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQ(launch_copy(a_.data(), b_.data(), kCount, 0, one_),
              cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(cudaStreamEndCapture(one_, &graph), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph, nullptr);
    expect_finding({"captured"});
  }
}

TEST_F(EmulatedStreams, FindsCopiesThatTouchWhatTheyMustNot) {
  float value = 0.0F;
  EXPECT_EQ(cudaMemcpy(a_.data(), host_.data(), kBytes + 4, cudaMemcpyHostToDevice),
            cudaErrorInvalidValue);
  expect_finding({"the destination, 260 bytes, is not device memory"});
  EXPECT_EQ(cudaMemcpy(&value, &value + 1, 4, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  expect_finding({"the source, 4 bytes, is not device memory: an address of the host"});
  EXPECT_EQ(cudaMemcpy(a_.data(), b_.data(), 4, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  expect_finding({"the source is device memory"});
  EXPECT_EQ(cudaMemcpy(a_.data(), a_.data() + 1, 8, cudaMemcpyDeviceToDevice),
            cudaErrorInvalidValue);
  expect_finding({"overlap"});
  EXPECT_EQ(cudaMemset(a_.data() + 1, 0, kBytes), cudaErrorInvalidValue);
  expect_finding({"is not device memory: byte 4 of allocation"});
}

TEST_F(EmulatedStreams, FindsStreamsThatAreGone) {
  cudaStream_t gone = nullptr;
  ASSERT_EQ(cudaStreamCreate(&gone), cudaSuccess);
  ASSERT_EQ(cudaStreamDestroy(gone), cudaSuccess);
  EXPECT_EQ(launch_copy(a_.data(), b_.data(), kCount, 0, gone), cudaErrorInvalidResourceHandle);
  expect_finding({"a stream that does not exist"});
}

TEST_F(EmulatedStreams, DevicesAndMemoryAreThoseOfTheEnvironment) {
  setenv("CDT_EMULATED_MEMORY", "1000000", 1);
  std::size_t before = 0;
  std::size_t total = 0;
  ASSERT_EQ(cudaMemGetInfo(&before, &total), cudaSuccess);
  EXPECT_EQ(total, 1000000U);
  void* p = nullptr;
  EXPECT_EQ(cudaMalloc(&p, before + 1), cudaErrorMemoryAllocation);
  ASSERT_EQ(cudaMalloc(&p, before), cudaSuccess);
  ASSERT_EQ(cudaFree(p), cudaSuccess);
  unsetenv("CDT_EMULATED_MEMORY");
  setenv("CDT_EMULATED_DEVICES", "0", 1);
  int count = -1;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
  EXPECT_EQ(count, 0);
  EXPECT_EQ(cudaMalloc(&p, 4), cudaErrorNoDevice);
  unsetenv("CDT_EMULATED_DEVICES");
}

}  // namespace
}  // namespace cdt::test
