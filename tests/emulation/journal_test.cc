// The list of requests to a device, and runs in which none of them is executed.
#include "tests/emulation/journal.h"

#include "tests/emulation/checked_test.h"
#include "tests/emulation/device_buffer.h"
#include "tests/emulation/planted_kernels.h"

namespace cdt::test {
namespace {

using emulation::Issue;
using emulation::IssueKind;

constexpr std::size_t kCount = 64;
constexpr std::size_t kBytes = kCount * sizeof(float);

class Journal : public CheckedTest {
 protected:
  void TearDown() override {
    emulation::set_dry(false);
    emulation::take_journal();
    CheckedTest::TearDown();
  }
  /// A fill, a copy to the device and a kernel there.
  void use() {
    ASSERT_EQ(cudaMemsetAsync(b_.data(), 0, kBytes, stream_), cudaSuccess);
    ASSERT_EQ(cudaMemcpyAsync(a_.data(), host_, kBytes, cudaMemcpyHostToDevice, stream_),
              cudaSuccess);
    ASSERT_EQ(launch_copy(a_.data(), b_.data(), kCount, 0, stream_), cudaSuccess);
  }
  void SetUp() override {
    CheckedTest::SetUp();
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cudaMallocHost(&host_, kBytes), cudaSuccess);
    std::fill_n(host_, kCount, 2.0F);
  }
  ~Journal() override {
    cudaFreeHost(host_);
    cudaStreamDestroy(stream_);
  }

  cudaStream_t stream_ = nullptr;
  float* host_ = nullptr;
  DeviceBuffer a_{std::vector<float>(kCount, 1.0F)}, b_{std::vector<float>(kCount, 1.0F)};
};

TEST_F(Journal, KeepsWhatIsIssuedInItsOrder) {
  use();  // before the start
  emulation::start_journal();
  use();
  EXPECT_EQ(emulation::journal_size(), 3U);
  const std::vector<Issue> list = emulation::take_journal();
  use();  // after the end
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].kind, IssueKind::kFill);
  EXPECT_EQ(list[0].bytes, kBytes);
  EXPECT_EQ(list[1].kind, IssueKind::kCopy);
  EXPECT_EQ(list[1].name, "from host");
  EXPECT_EQ(list[1].bytes, 2 * kBytes);
  EXPECT_EQ(list[2].kind, IssueKind::kKernel);
  EXPECT_EQ(list[2].name, "cdt::test::copy");
  EXPECT_EQ(list[2].threads * list[2].grid[0], kCount);
  for (const Issue& issue : list) EXPECT_FALSE(issue.recorded);
  EXPECT_EQ(emulation::journal_size(), 0U);
}

TEST_F(Journal, TellsNodesOfAGraph) {
  emulation::start_journal();
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  use();
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  cudaGraphExec_t exec = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph), cudaSuccess);
  ASSERT_EQ(cudaGraphLaunch(exec, stream_), cudaSuccess);
  const std::vector<Issue> list = emulation::take_journal();
  EXPECT_EQ(list.size(), 3U) << "a replay issues nothing anew";
  for (const Issue& issue : list) EXPECT_TRUE(issue.recorded);
  cudaGraphExecDestroy(exec);
  cudaGraphDestroy(graph);
}

TEST_F(Journal, ADryRunDoesNothingAndListsTheSame) {
  emulation::start_journal();
  use();
  const std::vector<Issue> done = emulation::take_journal();
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(b_.values(), std::vector<float>(kCount, 2.0F));
  std::fill_n(host_, kCount, 3.0F);
  emulation::set_dry(true);
  emulation::start_journal();
  use();
  const std::vector<Issue> dry = emulation::take_journal();
  emulation::set_dry(false);
  EXPECT_EQ(dry, done);
  EXPECT_EQ(b_.values(), std::vector<float>(kCount, 2.0F)) << "something was computed";
  EXPECT_EQ(a_.values(), std::vector<float>(kCount, 2.0F)) << "something was copied";
}

TEST_F(Journal, ADryRunStillRefusesWhatADeviceWould) {
  emulation::set_dry(true);
  EXPECT_EQ(launch_shaped(dim3(1), dim3(2048), 0, a_.data()), cudaErrorInvalidConfiguration);
  expect_finding({"2048 x 1 x 1 threads"});
  EXPECT_EQ(cudaMemcpyAsync(a_.data(), host_, kBytes + 4, cudaMemcpyHostToDevice, stream_),
            cudaErrorInvalidValue);
  expect_finding({"the destination, 260 bytes"});
}

}  // namespace
}  // namespace cdt::test
