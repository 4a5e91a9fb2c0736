// How fast cuDNN's fused attention runs on the shapes of CDT: bfloat16, head size 96, 8 heads,
// batch 8, no dropout, forward with the statistics that training needs, and backward. Uses the
// single operations SDPA_FWD and SDPA_BWD of cuDNN's graph API, and says where this version or this
// GPU has no engine for one. One JSON object on stdout; needs a GPU.
//
//   measure_attention [--batch 8]
#include <cudnn.h>

#include <array>
#include <cmath>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "io/format/text.h"
#include "tests/gpu/cuda_timing.h"

namespace cdt::measure {
namespace {

constexpr std::int64_t kHeads = 8, kHeadDim = 96;

void check_dnn(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 512> detail{};
  cudnnGetLastErrorString(detail.data(), detail.size());
  throw Error(std::string(call) + ": " + cudnnGetErrorString(status) + " " + detail.data());
}
#define CDT_DNN(call) check_dnn(call, #call)

/// A descriptor of the graph API.
class Node {
 public:
  explicit Node(cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t made = nullptr;
    CDT_DNN(cudnnBackendCreateDescriptor(type, &made));
    node_.reset(made);
  }
  cudnnBackendDescriptor_t get() const { return node_.get(); }

  template <typename T>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
           const std::vector<T>& values) {
    CDT_DNN(cudnnBackendSetAttribute(node_.get(), name, type,
                                     static_cast<std::int64_t>(values.size()), values.data()));
  }
  void link(cudnnBackendAttributeName_t name, const Node& other) {
    set<cudnnBackendDescriptor_t>(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, {other.get()});
  }
  void finalize() { CDT_DNN(cudnnBackendFinalize(node_.get())); }

 private:
  struct Destroyer {
    using pointer = cudnnBackendDescriptor_t;
    void operator()(pointer node) const { cudnnBackendDestroyDescriptor(node); }
  };
  std::unique_ptr<void, Destroyer> node_;
};

/// A tensor of the operation and the memory it stands for.
struct Argument {
  Node node;
  std::int64_t id;
  void* data;
};

/// dims and strides (B, H, N, K).
Argument argument(std::int64_t id, cudnnDataType_t type, const std::vector<std::int64_t>& dims,
                  const std::vector<std::int64_t>& strides, void* data, bool on_host = false) {
  Node node(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  node.set<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {type});
  node.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, dims);
  node.set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides);
  node.set<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {id});
  node.set<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, {16});
  const bool value = on_host;
  CDT_DNN(cudnnBackendSetAttribute(node.get(), CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1,
                                   &value));
  node.finalize();
  return {std::move(node), id, data};
}

/// One operation compiled for this GPU.
class Plan {
 public:
  /// Error with cuDNN's words where no engine takes the operation.
  Plan(cudnnHandle_t handle, const Node& operation, const std::vector<Argument>& arguments)
      : handle_(handle) {
    Node graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.link(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
    graph.set<cudnnHandle_t>(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, {handle});
    graph.finalize();
    Node heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.link(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    heuristic.set<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE,
                                          {CUDNN_HEUR_MODE_A});
    heuristic.finalize();
    Node engine(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    cudnnBackendDescriptor_t first = engine.get();
    std::int64_t found = 0;
    CDT_DNN(cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &found, &first));
    if (found == 0) throw Error("no engine");
    plan_.set<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {handle});
    plan_.link(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engine);
    plan_.finalize();
    std::int64_t bytes = 0;
    CDT_DNN(cudnnBackendGetAttribute(plan_.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                     CUDNN_TYPE_INT64, 1, &found, &bytes));
    workspace_.emplace(std::max<std::int64_t>(bytes, 4) / 4 + 1, Element::kFloat32);
    std::vector<void*> pointers;
    std::vector<std::int64_t> ids;
    for (const Argument& argument : arguments) {
      pointers.push_back(argument.data);
      ids.push_back(argument.id);
    }
    pack_.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers);
    pack_.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids);
    pack_.set<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {workspace_->data()});
    pack_.finalize();
  }

  void run() { CDT_DNN(cudnnBackendExecute(handle_, plan_.get(), pack_.get())); }
  std::size_t workspace_bytes() const { return workspace_->bytes(); }

 private:
  cudnnHandle_t handle_;
  Node plan_{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};
  Node pack_{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR};
  std::optional<DeviceArray> workspace_;
};

/// Attention of (B, queries, H * K) to (B, keys, H * K), rows as the projections leave them.
class AttentionTimer {
 public:
  AttentionTimer(std::int64_t batch, std::int64_t queries, std::int64_t keys)
      : batch_(batch), queries_(queries), keys_(keys) {
    CDT_DNN(cudnnCreate(&handle_));
  }
  ~AttentionTimer() { cudnnDestroy(handle_); }
  AttentionTimer(const AttentionTimer&) = delete;
  AttentionTimer& operator=(const AttentionTimer&) = delete;

  /// One JSON object: time, or why there is none.
  std::string forward() {
    std::vector<Argument> arguments = common();
    Node operation(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    constexpr std::array kNames{
        CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC,     CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC,
        CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC,     CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC,
        CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC};
    for (std::size_t i = 0; i < kNames.size(); ++i) operation.link(kNames[i], arguments[i].node);
    return time("forward", 4, &operation, arguments);
  }

  std::string backward() {
    std::vector<Argument> arguments = common();
    const DeviceArray dout(batch_ * queries_ * kRow, Element::kBFloat16);
    const DeviceArray dq(batch_ * queries_ * kRow, Element::kBFloat16);
    const DeviceArray dk(batch_ * keys_ * kRow, Element::kBFloat16);
    const DeviceArray dv(batch_ * keys_ * kRow, Element::kBFloat16);
    arguments.push_back(rows(7, queries_, dout));
    arguments.push_back(rows(8, queries_, dq));
    arguments.push_back(rows(9, keys_, dk));
    arguments.push_back(rows(10, keys_, dv));
    Node operation(CUDNN_BACKEND_OPERATION_SDPA_BWD_DESCRIPTOR);
    constexpr std::array kNames{
        CUDNN_ATTR_OPERATION_SDPA_BWD_QDESC,     CUDNN_ATTR_OPERATION_SDPA_BWD_KDESC,
        CUDNN_ATTR_OPERATION_SDPA_BWD_VDESC,     CUDNN_ATTR_OPERATION_SDPA_BWD_ODESC,
        CUDNN_ATTR_OPERATION_SDPA_BWD_STATSDESC, CUDNN_ATTR_OPERATION_SDPA_BWD_SCALEDESC,
        CUDNN_ATTR_OPERATION_SDPA_BWD_DODDESC,   CUDNN_ATTR_OPERATION_SDPA_BWD_DQDESC,
        CUDNN_ATTR_OPERATION_SDPA_BWD_DKDESC,    CUDNN_ATTR_OPERATION_SDPA_BWD_DVDESC};
    for (std::size_t i = 0; i < kNames.size(); ++i) operation.link(kNames[i], arguments[i].node);
    // Five products, one of them the scores again.
    return time("backward", 10, &operation, arguments);
  }

 private:
  static constexpr std::int64_t kRow = kHeads * kHeadDim;

  static std::vector<std::int64_t> row_strides(std::int64_t n) {
    return {n * kRow, kHeadDim, kRow, 1};
  }
  Argument rows(std::int64_t id, std::int64_t n, const DeviceArray& array) const {
    return argument(id, CUDNN_DATA_BFLOAT16, {batch_, kHeads, n, kHeadDim}, row_strides(n),
                    array.data());
  }
  /// q, k, v, out, log-sum-exp, scale.
  std::vector<Argument> common() {
    std::vector<Argument> arguments;
    arguments.push_back(rows(1, queries_, q_));
    arguments.push_back(rows(2, keys_, k_));
    arguments.push_back(rows(3, keys_, v_));
    arguments.push_back(rows(4, queries_, out_));
    arguments.push_back(argument(5, CUDNN_DATA_FLOAT, {batch_, kHeads, queries_, 1},
                                 {kHeads * queries_, queries_, 1, 1}, stats_.data()));
    arguments.push_back(
        argument(6, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, &scale_, /*on_host=*/true));
    return arguments;
  }

  std::string time(const char* what, double flop_per_element, Node* operation,
                   const std::vector<Argument>& arguments) {
    std::string text = "{\"attention\": \"" + std::string(what) +
                       "\", \"queries\": " + std::to_string(queries_) +
                       ", \"keys\": " + std::to_string(keys_);
    try {
      operation->finalize();
      Plan plan(handle_, *operation, arguments);
      const double us = microseconds(nullptr, [&] { plan.run(); });
      const double flop =
          flop_per_element * static_cast<double>(batch_ * kHeads * queries_ * keys_ * kHeadDim);
      return text + ", \"time_us\": " + format_number(us) +
             ", \"tflops\": " + format_number(flop / us * 1e-6) +
             ", \"workspace_bytes\": " + std::to_string(plan.workspace_bytes()) + "}";
    } catch (const Error& error) {
      std::string why = printable(error.what(), 300);
      for (char& c : why) c = c == '"' || c == '\\' ? '\'' : c;
      return text + ", \"unsupported\": \"" + why + "\"}";
    }
  }

  std::int64_t batch_, queries_, keys_;
  cudnnHandle_t handle_ = nullptr;
  float scale_ = 1.0F / std::sqrt(static_cast<float>(kHeadDim));
  DeviceArray q_{batch_ * queries_ * kRow, Element::kBFloat16};
  DeviceArray k_{batch_ * keys_ * kRow, Element::kBFloat16};
  DeviceArray v_{batch_ * keys_ * kRow, Element::kBFloat16};
  DeviceArray out_{batch_ * queries_ * kRow, Element::kBFloat16};
  DeviceArray stats_{batch_ * kHeads * queries_, Element::kFloat32};
};

std::vector<std::string> measure(std::int64_t batch, std::int64_t queries, std::int64_t keys) {
  AttentionTimer timer(batch, queries, keys);
  return {timer.forward(), timer.backward()};
}

int run(int argc, char** argv) {
  std::int64_t batch = 8;
  Cli cli("measure_attention", "times cuDNN's fused attention on the shapes of CDT");
  cli.number("batch", &batch, 1, 64, "samples");
  if (!cli.parse(argc, argv)) return kExitDone;
  const std::string gpu = gpu_name();
  std::cout << "{\"gpu\": \"" << gpu << "\", \"cudnn\": " << cudnnGetVersion()
            << ", \"batch\": " << batch << ", \"attention\": [";
  const char* separator = "\n";
  for (const auto& [queries, keys] : kAttentionShapes) {
    for (const std::string& object : measure(batch, queries, keys)) {
      std::cout << separator << object << std::flush;
      separator = ",\n";
    }
  }
  std::cout << "\n]}\n";
  return 0;
}

}  // namespace
}  // namespace cdt::measure

int main(int argc, char** argv) {
  return cdt::run_main("measure_attention", argc, argv, cdt::measure::run);
}
