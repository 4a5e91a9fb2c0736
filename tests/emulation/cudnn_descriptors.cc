#include "tests/emulation/cudnn_descriptors.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tests/emulation/device.h"

using namespace cdt::emulation;  // NOLINT(google-build-using-namespace)

namespace {

/// An attribute: its meaning, its descriptor, and its number of values.
struct Attribute {
  cudnnBackendDescriptorType_t owner;
  cudnnBackendAttributeType_t type;
  std::int64_t least, most;
  bool given;  // set by the program before it finalizes the descriptor
  /// The type of the descriptors that it names, if it names any.
  cudnnBackendDescriptorType_t target = CUDNN_BACKEND_TENSOR_DESCRIPTOR;
};

const std::map<int, Attribute>& attributes() {
  constexpr auto kTensor = CUDNN_BACKEND_TENSOR_DESCRIPTOR;
  constexpr auto kGraph = CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR;
  constexpr auto kHeuristic = CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR;
  constexpr auto kConfiguration = CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
  constexpr auto kEngine = CUDNN_BACKEND_ENGINE_DESCRIPTOR;
  constexpr auto kPlan = CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
  constexpr auto kPack = CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR;
  constexpr auto kSdpa = CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR;
  constexpr auto kNode = CUDNN_TYPE_BACKEND_DESCRIPTOR;
  constexpr std::int64_t kMany = 64;
  static const std::map<int, Attribute> kAttributes{
      {CUDNN_ATTR_TENSOR_DATA_TYPE, {kTensor, CUDNN_TYPE_DATA_TYPE, 1, 1, true}},
      {CUDNN_ATTR_TENSOR_DIMENSIONS, {kTensor, CUDNN_TYPE_INT64, 4, 4, true}},
      {CUDNN_ATTR_TENSOR_STRIDES, {kTensor, CUDNN_TYPE_INT64, 4, 4, true}},
      {CUDNN_ATTR_TENSOR_UNIQUE_ID, {kTensor, CUDNN_TYPE_INT64, 1, 1, true}},
      {CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {kTensor, CUDNN_TYPE_INT64, 1, 1, true}},
      {CUDNN_ATTR_TENSOR_IS_BY_VALUE, {kTensor, CUDNN_TYPE_BOOLEAN, 1, 1, true}},
      {CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, {kSdpa, kNode, 1, 1, true}},
      {CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, {kSdpa, kNode, 1, 1, true}},
      {CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, {kSdpa, kNode, 1, 1, true}},
      {CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, {kSdpa, kNode, 1, 1, true}},
      {CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC, {kSdpa, kNode, 1, 1, true}},
      {CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, {kSdpa, kNode, 1, 1, true}},
      {CUDNN_ATTR_OPERATIONGRAPH_HANDLE, {kGraph, CUDNN_TYPE_HANDLE, 1, 1, true}},
      {CUDNN_ATTR_OPERATIONGRAPH_OPS, {kGraph, kNode, 1, 1, true, kSdpa}},
      {CUDNN_ATTR_ENGINEHEUR_MODE, {kHeuristic, CUDNN_TYPE_HEUR_MODE, 1, 1, true}},
      {CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, {kHeuristic, kNode, 1, 1, true, kGraph}},
      {CUDNN_ATTR_ENGINEHEUR_RESULTS, {kHeuristic, kNode, 0, kMany, false, kConfiguration}},
      {CUDNN_ATTR_ENGINECFG_ENGINE, {kConfiguration, kNode, 1, 1, false, kEngine}},
      {CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, {kEngine, CUDNN_TYPE_NUMERICAL_NOTE, 0, kMany, false}},
      {CUDNN_ATTR_EXECUTION_PLAN_HANDLE, {kPlan, CUDNN_TYPE_HANDLE, 1, 1, true}},
      {CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, {kPlan, kNode, 1, 1, true, kConfiguration}},
      {CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, {kPlan, CUDNN_TYPE_INT64, 1, 1, false}},
      {CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {kPack, CUDNN_TYPE_INT64, 1, kMany, true}},
      {CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, {kPack, CUDNN_TYPE_VOID_PTR, 1, kMany, true}},
      {CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {kPack, CUDNN_TYPE_VOID_PTR, 1, 1, true}}};
  return kAttributes;
}

std::size_t element_bytes(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
      return 1;
    case CUDNN_TYPE_DATA_TYPE:
    case CUDNN_TYPE_HEUR_MODE:
    case CUDNN_TYPE_NUMERICAL_NOTE:
      return 4;
    default:
      return 8;
  }
}

struct Library {
  std::map<const void*, std::shared_ptr<CudnnNode>> nodes;
  std::string last_error;
};

Library& library() {
  static Library l;
  return l;
}

SdpaTensor tensor_of(const CudnnNode& node) {
  SdpaTensor t;
  t.id = node.word(CUDNN_ATTR_TENSOR_UNIQUE_ID);
  t.type = static_cast<cudnnDataType_t>(node.word(CUDNN_ATTR_TENSOR_DATA_TYPE));
  std::copy_n(node.values.at(CUDNN_ATTR_TENSOR_DIMENSIONS).begin(), 4, t.dims.begin());
  std::copy_n(node.values.at(CUDNN_ATTR_TENSOR_STRIDES).begin(), 4, t.strides.begin());
  t.alignment = node.word(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  t.by_value = node.word(CUDNN_ATTR_TENSOR_IS_BY_VALUE) != 0;
  return t;
}

std::string check_tensor(const SdpaTensor& t) {
  if (std::any_of(t.dims.begin(), t.dims.end(), [](std::int64_t d) { return d < 1; })) {
    return "a tensor without elements";
  }
  const bool power = t.alignment > 0 && (t.alignment & (t.alignment - 1)) == 0;
  return power ? "" : "an alignment that is no power of two";
}

/// "", or why the values of a descriptor are inconsistent.
std::string check_values(const CudnnNode& node) {
  if (node.type == CUDNN_BACKEND_TENSOR_DESCRIPTOR) return check_tensor(tensor_of(node));
  if (node.type == CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR) {
    const auto ids = node.values.at(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS).size();
    const auto pointers = node.values.at(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).size();
    return ids == pointers ? "" : "a pack with as many pointers as numbers it has not";
  }
  if (node.type != CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR) return "";
  Sdpa a = sdpa_of(node);
  std::vector<std::int64_t> ids;
  for (const SdpaTensor* t : tensors_of(a)) ids.push_back(t->id);
  std::sort(ids.begin(), ids.end());
  if (std::unique(ids.begin(), ids.end()) != ids.end()) return "two tensors of one number";
  return check_sdpa(a);
}

}  // namespace

namespace cdt::emulation {

std::string planted_in_cudnn() {
  const char* const text = std::getenv("CDT_EMULATED_CUDNN");
  return text == nullptr ? "" : text;
}

cudnnStatus_t refuse_in_cudnn(const std::string& why, cudnnStatus_t status) {
  library().last_error = why;
  // Asking whether there is an engine is legitimate; everything else is the caller's mistake.
  if (status != CUDNN_STATUS_NOT_SUPPORTED && status != CUDNN_STATUS_EXECUTION_FAILED) {
    report(cudaSuccess, "cudnn: " + why);
  }
  return status;
}

const std::string& last_cudnn_refusal() { return library().last_error; }

std::shared_ptr<CudnnNode> cudnn_node_of(const void* descriptor) {
  const auto found = library().nodes.find(descriptor);
  return found == library().nodes.end() ? nullptr : found->second;
}

bool has_answer(const CudnnNode& node, int name, cudnnBackendAttributeType_t type) {
  const auto known = attributes().find(name);
  return node.finalized && known != attributes().end() && known->second.owner == node.type &&
         known->second.type == type;
}

Sdpa sdpa_of(const CudnnNode& operation) {
  const auto tensor = [&](int name) { return tensor_of(operation.to(name)); };
  return {tensor(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC),
          tensor(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC),
          tensor(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC),
          tensor(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC),
          tensor(CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC),
          tensor(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC)};
}

std::vector<SdpaTensor*> tensors_of(Sdpa& a) {
  return {&a.q, &a.k, &a.v, &a.out, &a.stats, &a.scale};
}

}  // namespace cdt::emulation

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* descriptor) {
  const auto lock = lock_runtime();
  auto node = std::make_shared<CudnnNode>();
  node->type = type;
  *descriptor = node.get();
  library().nodes[*descriptor] = std::move(node);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  const auto lock = lock_runtime();
  return library().nodes.erase(descriptor) == 1 ? CUDNN_STATUS_SUCCESS
                                                : refuse_in_cudnn("no such descriptor");
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t count,
                                       const void* values) {
  const auto lock = lock_runtime();
  const auto node = cudnn_node_of(descriptor);
  const auto known = attributes().find(name);
  const std::string who = "attribute " + std::to_string(name);
  if (node == nullptr || node->finalized) return refuse_in_cudnn(who + " of no open descriptor");
  if (known == attributes().end() || known->second.owner != node->type || !known->second.given) {
    return refuse_in_cudnn(who + " of descriptor type " + std::to_string(node->type) +
                           " is not emulated");
  }
  const Attribute& attribute = known->second;
  if (attribute.type != type || count < attribute.least || count > attribute.most) {
    return refuse_in_cudnn(who + " with values of the wrong type or number");
  }
  const std::size_t bytes = element_bytes(type);
  std::vector<std::int64_t>& words = node->values[name];
  words.assign(static_cast<std::size_t>(count), 0);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::memcpy(&words[i], static_cast<const char*>(values) + i * bytes, bytes);
  }
  if (type != CUDNN_TYPE_BACKEND_DESCRIPTOR) return CUDNN_STATUS_SUCCESS;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address kept as a number
  const auto linked = cudnn_node_of(reinterpret_cast<void*>(words.front()));
  if (linked == nullptr || !linked->finalized || linked->type != attribute.target) {
    return refuse_in_cudnn(who + " is no finalized descriptor of its type",
                           CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
  }
  node->linked[name] = linked;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  const auto lock = lock_runtime();
  const auto node = cudnn_node_of(descriptor);
  if (node == nullptr || node->finalized) return refuse_in_cudnn("no open descriptor to finalize");
  for (const auto& [name, attribute] : attributes()) {
    if (attribute.owner == node->type && attribute.given && node->values.count(name) == 0) {
      return refuse_in_cudnn("attribute " + std::to_string(name) + " is missing");
    }
  }
  const std::string wrong = check_values(*node);
  if (!wrong.empty()) return refuse_in_cudnn(wrong);
  if (node->type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR && planted_in_cudnn() == "no-engine") {
    return refuse_in_cudnn("no engine of the emulation", CUDNN_STATUS_NOT_SUPPORTED);
  }
  node->finalized = true;
  return CUDNN_STATUS_SUCCESS;
}

// NOLINTEND(readability-identifier-naming)
