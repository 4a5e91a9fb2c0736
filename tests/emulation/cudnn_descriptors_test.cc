// The emulated cuDNN refuses descriptors that the library's documentation rules out, with a reason.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <vector>

#include "tests/emulation/checked_test.h"
#include "tests/emulation/device_buffer.h"
#include "tests/emulation/include/cudnn.h"

namespace cdt::test {
namespace {

using Words = std::vector<std::int64_t>;
using Node = cudnnBackendDescriptor_t;

constexpr std::int64_t kQueries = 3, kKeys = 5, kWidth = 8;

class CudnnDescriptors : public CheckedTest {
 protected:
  struct Tensor {
    Words dims, strides;
    cudnnDataType_t type = CUDNN_DATA_BFLOAT16;
    bool by_value = false;
  };
  /// q, k, v, out, statistics, scale of one sample with one head.
  static std::vector<Tensor> tensors() {
    const auto rows = [](std::int64_t n) {
      return Tensor{{1, 1, n, kWidth}, {n * kWidth, kWidth, kWidth, 1}};
    };
    return {rows(kQueries),
            rows(kKeys),
            rows(kKeys),
            rows(kQueries),
            {{1, 1, kQueries, 1}, {kQueries, kQueries, 1, 1}, CUDNN_DATA_FLOAT},
            {{1, 1, 1, 1}, {1, 1, 1, 1}, CUDNN_DATA_FLOAT, true}};
  }

  void TearDown() override {
    for (Node node : nodes_) EXPECT_EQ(cudnnBackendDestroyDescriptor(node), CUDNN_STATUS_SUCCESS);
    CheckedTest::TearDown();
  }

  Node make(cudnnBackendDescriptorType_t type) {
    Node node = nullptr;
    EXPECT_EQ(cudnnBackendCreateDescriptor(type, &node), CUDNN_STATUS_SUCCESS);
    nodes_.push_back(node);
    return node;
  }
  template <class T>
  static cudnnStatus_t set(Node node, int name, cudnnBackendAttributeType_t type,
                           const std::vector<T>& values) {
    return cudnnBackendSetAttribute(node, static_cast<cudnnBackendAttributeName_t>(name), type,
                                    static_cast<std::int64_t>(values.size()), values.data());
  }
  static cudnnStatus_t link(Node node, int name, Node to) {
    return set<Node>(node, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, {to});
  }
  Node tensor(std::int64_t id, const Tensor& t) {
    const Node node = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set<cudnnDataType_t>(node, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {t.type});
    set(node, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, t.dims);
    set(node, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, t.strides);
    set<std::int64_t>(node, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {id});
    set<std::int64_t>(node, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, {16});
    const bool by_value = t.by_value;
    cudnnBackendSetAttribute(node, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &by_value);
    EXPECT_EQ(cudnnBackendFinalize(node), CUDNN_STATUS_SUCCESS);
    return node;
  }
  Node operation(const std::vector<Tensor>& of, std::int64_t first_id = 1) {
    const Node node = make(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    for (std::size_t i = 0; i < of.size(); ++i) {
      const auto number = static_cast<std::int64_t>(i);
      EXPECT_EQ(link(node, CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC + static_cast<int>(i),
                     tensor(first_id == 0 ? 1 : number + first_id, of[i])),
                CUDNN_STATUS_SUCCESS);
    }
    return node;
  }
  /// An operation of tensors that are valid before they are spoiled.
  void expect_refused(const std::function<void(std::vector<Tensor>&)>& spoil, const char* why) {
    std::vector<Tensor> t = tensors();
    spoil(t);
    EXPECT_EQ(cudnnBackendFinalize(operation(t)), CUDNN_STATUS_BAD_PARAM);
    expect_finding({"cudnn: ", why});
  }

  std::vector<Node> nodes_;
};

TEST_F(CudnnDescriptors, OperationsWhoseTensorsDoNotFitAreRefused) {
  EXPECT_EQ(cudnnBackendFinalize(operation(tensors())), CUDNN_STATUS_SUCCESS);
  expect_refused(
      [](std::vector<Tensor>& t) {
        t[1] = {{1, 1, kWidth, kKeys}, {kKeys * kWidth, kWidth, 1, kWidth}};
      },
      "k's dimensions do not fit (B, H, N, K)");
  expect_refused([](std::vector<Tensor>& t) { t[2].dims[2] = kKeys + 1; },
                 "v's dimensions do not fit");
  expect_refused([](std::vector<Tensor>& t) { t[0].type = CUDNN_DATA_FLOAT; }, "q is not bfloat16");
  expect_refused(
      [](std::vector<Tensor>& t) {
        t[3].strides = {kQueries * kWidth, kWidth, 1, kQueries};
      },
      "o's last dimension is not contiguous");
  expect_refused([](std::vector<Tensor>& t) { t[0].strides[2] = kWidth + 1; },
                 "q's strides are no multiples of its alignment");
  expect_refused([](std::vector<Tensor>& t) { t[4].type = CUDNN_DATA_BFLOAT16; },
                 "statistics are not float32");
  expect_refused([](std::vector<Tensor>& t) { t[5].by_value = false; },
                 "the scale is no number of the host");
  expect_refused(
      [](std::vector<Tensor>& t) {
        for (int i = 0; i < 4; ++i) t[static_cast<std::size_t>(i)].dims[3] = 4;
      },
      "heads are no multiple of 8");
  EXPECT_EQ(cudnnBackendFinalize(operation(tensors(), 0)), CUDNN_STATUS_BAD_PARAM);
  expect_finding({"two tensors of one number"});
}

TEST_F(CudnnDescriptors, AttributesOfTheWrongKindAreRefused) {
  const Node node = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  EXPECT_EQ(set<std::int64_t>(node, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_INT64, {9}),
            CUDNN_STATUS_BAD_PARAM);
  expect_finding({"attribute 901 with values of the wrong type or number"});
  EXPECT_EQ(set<std::int64_t>(node, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, {1, 2, 3}),
            CUDNN_STATUS_BAD_PARAM);
  expect_finding({"attribute 902 with values of the wrong type or number"});
  EXPECT_EQ(set<std::int64_t>(node, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, {1}),
            CUDNN_STATUS_BAD_PARAM);
  expect_finding({"attribute 1000 of descriptor type 17 is not emulated"});
  EXPECT_EQ(cudnnBackendFinalize(node), CUDNN_STATUS_BAD_PARAM);
  expect_finding({"attribute 900 is missing"});
  const Node whole = tensor(1, tensors()[0]);
  EXPECT_EQ(set<std::int64_t>(whole, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {2}),
            CUDNN_STATUS_BAD_PARAM);
  expect_finding({"attribute 906 of no open descriptor"});
  const Node graph = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  for (const Node wrong : {operation(tensors()), whole}) {  // not finalized; of another type
    EXPECT_EQ(link(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, wrong),
              CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
    expect_finding({"attribute 801 is no finalized descriptor of its type"});
  }
}

class CudnnRuns : public CudnnDescriptors {
 protected:
  void SetUp() override {
    CudnnDescriptors::SetUp();
    ASSERT_EQ(cudnnCreate(&handle_), CUDNN_STATUS_SUCCESS);
    const Node graph = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    const Node sdpa = operation(tensors());
    cudnnBackendFinalize(sdpa);
    link(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, sdpa);
    set<cudnnHandle_t>(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, {handle_});
    cudnnBackendFinalize(graph);
    const Node heuristic = make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    link(heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    set<cudnnBackendHeurMode_t>(heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE,
                                {CUDNN_HEUR_MODE_A});
    cudnnBackendFinalize(heuristic);
    std::array<Node, 2> found{make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR),
                              make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)};
    std::int64_t count = 0;
    ASSERT_EQ(cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                       CUDNN_TYPE_BACKEND_DESCRIPTOR, 2, &count, found.data()),
              CUDNN_STATUS_SUCCESS);
    link(plan_, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, found[1]);
    set<cudnnHandle_t>(plan_, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {handle_});
    ASSERT_EQ(cudnnBackendFinalize(plan_), CUDNN_STATUS_SUCCESS);
  }
  void TearDown() override {
    cudnnDestroy(handle_);
    CudnnDescriptors::TearDown();
  }
  /// With memory for tensors 1 to 6.
  cudnnStatus_t run(const std::vector<void*>& data, void* workspace) {
    const Node pack = make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    Words ids;
    for (std::size_t i = 0; i < data.size(); ++i) ids.push_back(static_cast<std::int64_t>(i) + 1);
    set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids);
    set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data);
    set<void*>(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {workspace});
    EXPECT_EQ(cudnnBackendFinalize(pack), CUDNN_STATUS_SUCCESS);
    return cudnnBackendExecute(handle_, plan_, pack);
  }

  cudnnHandle_t handle_ = nullptr;
  Node plan_ = make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
};

TEST_F(CudnnRuns, MemoryThatIsNoneOfThePlansIsRefused) {
  const DeviceBuffer q(kQueries * kWidth / 2), k(kKeys * kWidth / 2), v(kKeys * kWidth / 2);
  const DeviceBuffer out(kQueries * kWidth / 2), sums(kQueries), workspace(1024);
  float scale = 1.0F;
  std::vector<void*> data{q.data(), k.data(), v.data(), out.data(), sums.data(), &scale};
  EXPECT_EQ(run(data, workspace.data()), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(run(data, sums.data()), CUDNN_STATUS_BAD_PARAM);
  expect_finding({"less workspace than the plan asked for"});
  data[5] = sums.data();
  EXPECT_EQ(run(data, workspace.data()), CUDNN_STATUS_BAD_PARAM);
  expect_finding({"the scale is not the host's"});
  data[5] = &scale;
  data[1] = q.data();
  EXPECT_EQ(run(data, workspace.data()), CUDNN_STATUS_BAD_PARAM);
  expect_finding({"tensor 2 is not device memory"});
  data[1] = k.data();
  data[0] = workspace.data() + 1;
  EXPECT_EQ(run(data, workspace.data()), CUDNN_STATUS_BAD_PARAM);
  expect_finding({"tensor 1 is not aligned as it says"});
  data[0] = q.data();
  data.pop_back();
  EXPECT_EQ(run(data, workspace.data()), CUDNN_STATUS_BAD_PARAM);
  expect_finding({"no memory for tensor 6"});
}

}  // namespace
}  // namespace cdt::test
