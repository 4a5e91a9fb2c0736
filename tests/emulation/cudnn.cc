// cuDNN's calls except for descriptors (cudnn_descriptors.cc): the choice of an engine, and
// attention as one operation.
#include "tests/emulation/cudnn.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "tests/emulation/cudnn_descriptors.h"
#include "tests/emulation/device.h"
#include "tests/emulation/journal.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/named_calls.h"

using namespace cdt::emulation;  // NOLINT(google-build-using-namespace)

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

constexpr std::int64_t kWorkspaceBytes = 4096;
/// Engines for an operation. The first has no fixed order of sums; no program here may use it.
constexpr std::int64_t kEngines = 2;

/// Assigns the pack's memory to the operation's tensors; "", or what is wrong with it.
std::string take_memory(const CudnnNode& pack, Sdpa& a) {
  const auto& ids = pack.values.at(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto& pointers = pack.values.at(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  for (SdpaTensor* t : tensors_of(a)) {
    const auto at = std::find(ids.begin(), ids.end(), t->id);
    if (at == ids.end()) return "no memory for tensor " + std::to_string(t->id);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address kept as a number
    t->data = reinterpret_cast<void*>(pointers[static_cast<std::size_t>(at - ids.begin())]);
    if (t->by_value) continue;
    const std::string who = "tensor " + std::to_string(t->id);
    if (!holds(t->data, static_cast<std::size_t>(t->span_bytes()), MemoryKind::kDevice)) {
      return who + " is not device memory: " + describe_address(t->data);
    }
    if (reinterpret_cast<std::intptr_t>(t->data) % t->alignment != 0) {
      return who + " is not aligned as it says: " + describe_address(t->data);
    }
  }
  const bool on_host = a.scale.data != nullptr && !holds(a.scale.data, sizeof(float));
  return on_host ? "" : "the scale is not the host's";
}

Issue describe_sdpa(const Sdpa& a) {
  Issue issue;
  issue.kind = IssueKind::kKernel;
  issue.name = "cudnn";
  issue.m = a.q.dims[2], issue.n = a.k.dims[2], issue.k = a.q.dims[3];
  issue.batch = a.q.dims[0] * a.q.dims[1];
  return issue;
}

}  // namespace

std::size_t cudnnGetVersion() { return planted_in_cudnn() == "old" ? 91002 : 91900; }

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_SUPPORTED:
      return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_EXECUTION_FAILED:
      return "CUDNN_STATUS_EXECUTION_FAILED";
    default:
      return "CUDNN_STATUS_BAD_PARAM";
  }
}

void cudnnGetLastErrorString(char* message, std::size_t size) {
  if (size == 0) return;
  message[last_cudnn_refusal().copy(message, size - 1)] = '\0';
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  if (device_count() == 0) return CUDNN_STATUS_NOT_INITIALIZED;
  *handle = std::make_unique<cudnnContext>().release();
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  const std::unique_ptr<cudnnContext> owner(handle);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

namespace {

/// Finalizes a descriptor that the program created for the library to fill.
std::shared_ptr<CudnnNode> filled(const void* descriptor, cudnnBackendDescriptorType_t type,
                                  std::int64_t engine) {
  auto node = cudnn_node_of(descriptor);
  if (node == nullptr || node->finalized || node->type != type) return nullptr;
  node->finalized = true;
  node->values[kEngineNumber] = {engine};
  return node;
}

cudnnStatus_t read_results(const std::shared_ptr<CudnnNode>& heuristic, std::int64_t wanted,
                           std::int64_t* count, void* const* configurations) {
  *count = wanted == 0 ? kEngines : std::min(wanted, kEngines);
  for (std::int64_t i = 0; i < std::min(wanted, kEngines); ++i) {
    const auto node = filled(configurations[i], CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, i);
    if (node == nullptr) return refuse_in_cudnn("a result without an open descriptor for it");
    node->linked[CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH] =
        heuristic->linked.at(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  }
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t wanted,
                                       std::int64_t* count, void* values) {
  const auto lock = lock_runtime();
  const auto node = cudnn_node_of(descriptor);
  if (node == nullptr || !has_answer(*node, name, type)) {
    return refuse_in_cudnn("a question for attribute " + std::to_string(name) +
                           " that has no answer");
  }
  if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS) {
    return read_results(node, wanted, count, static_cast<void* const*>(values));
  }
  *count = 1;
  if (wanted < 1) return CUDNN_STATUS_SUCCESS;
  if (name == CUDNN_ATTR_ENGINECFG_ENGINE) {
    void* const engine = *static_cast<void* const*>(values);
    const bool made =
        filled(engine, CUDNN_BACKEND_ENGINE_DESCRIPTOR, node->word(kEngineNumber)) != nullptr;
    return made ? CUDNN_STATUS_SUCCESS
                : refuse_in_cudnn("an engine without an open descriptor for it");
  }
  if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE) {
    std::memcpy(values, &kWorkspaceBytes, sizeof kWorkspaceBytes);
    return CUDNN_STATUS_SUCCESS;
  }
  const bool ordered = node->word(kEngineNumber) > 0 && planted_in_cudnn() != "unordered";
  const auto note =
      ordered ? CUDNN_NUMERICAL_NOTE_TENSOR_CORE : CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
  std::memcpy(values, &note, sizeof note);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) {
  const auto lock = lock_runtime();
  const auto compiled = cudnn_node_of(plan);
  const auto memory = cudnn_node_of(pack);
  if (handle == nullptr || compiled == nullptr || memory == nullptr || !compiled->finalized ||
      !memory->finalized) {
    return refuse_in_cudnn("no handle, plan or pack");
  }
  if (planted_in_cudnn() == "failing") {
    return refuse_in_cudnn("as planted", CUDNN_STATUS_EXECUTION_FAILED);
  }
  const CudnnNode& configuration = compiled->to(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  Sdpa a = sdpa_of(
      configuration.to(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH).to(CUDNN_ATTR_OPERATIONGRAPH_OPS));
  std::string wrong = take_memory(*memory, a);
  if (!wrong.empty()) return refuse_in_cudnn(wrong);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address kept as a number
  void* const workspace = reinterpret_cast<void*>(memory->word(CUDNN_ATTR_VARIANT_PACK_WORKSPACE));
  if (!holds(workspace, static_cast<std::size_t>(kWorkspaceBytes), MemoryKind::kDevice)) {
    return refuse_in_cudnn("less workspace than the plan asked for");
  }
  float scale = 0.0F;
  std::memcpy(&scale, a.scale.data, sizeof scale);
  const SdpaError planted{
      .out = configuration.word(kEngineNumber) > 0 && planted_in_cudnn() != "wrong" ? 0.0 : 0.05,
      .stats = planted_in_cudnn() == "wrong-sums" ? 0.001 : 0.0};
  const auto work = [a, scale, planted] {
    const Opened opened;
    compute_sdpa(a, scale, planted);
  };
  const cudaError_t error = issue(handle->stream, work, [&] { return describe_sdpa(a); });
  return error == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}
// NOLINTEND(readability-identifier-naming)

namespace cdt::emulation {

void* open_cudnn() {
  static char library;
  return planted_in_cudnn() == "missing" ? nullptr : &library;
}

void* find_in_cudnn(const char* name) {
  return find_call(name, {{"cudnnGetVersion", &cudnnGetVersion},
                          {"cudnnGetErrorString", &cudnnGetErrorString},
                          {"cudnnGetLastErrorString", &cudnnGetLastErrorString},
                          {"cudnnCreate", &cudnnCreate},
                          {"cudnnDestroy", &cudnnDestroy},
                          {"cudnnSetStream", &cudnnSetStream},
                          {"cudnnBackendCreateDescriptor", &cudnnBackendCreateDescriptor},
                          {"cudnnBackendDestroyDescriptor", &cudnnBackendDestroyDescriptor},
                          {"cudnnBackendSetAttribute", &cudnnBackendSetAttribute},
                          {"cudnnBackendGetAttribute", &cudnnBackendGetAttribute},
                          {"cudnnBackendFinalize", &cudnnBackendFinalize},
                          {"cudnnBackendExecute", &cudnnBackendExecute}});
}

}  // namespace cdt::emulation
