#include "engine/cuda/cudnn_graph.h"

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "engine/cuda/launch.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr const char* kLibrary = "libcudnn.so.9";
constexpr std::size_t kLeastVersion = 91301;  // 9.13.1
constexpr std::int64_t kAlignment = 16;       // alignment of tensors, in bytes
constexpr std::int64_t kMostWorkspace = std::int64_t{256} << 20U;

std::string text_of_version(std::size_t version) {
  constexpr std::size_t kMajor = 10000, kMinor = 100;
  return std::to_string(version / kMajor) + "." + std::to_string(version / kMinor % kMinor) + "." +
         std::to_string(version % kMinor);
}

/// True if the configuration's engine sums in the same order on every run.
bool gives_same_bits(const Cudnn& library, const CudnnNode& configuration) {
  const CudnnNode engine(library, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t at = engine.get();
  configuration.read(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::span(&at, 1));
  std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
  const std::int64_t count =
      engine.read(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                  std::span<cudnnBackendNumericalNote_t>(notes));
  const auto end = notes.begin() + std::min<std::int64_t>(count, CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  return std::find(notes.begin(), end, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) == end;
}

/// Returns the heuristic's configurations for an operation, best first.
std::vector<CudnnNode> configurations(const Cudnn& library, cudnnHandle_t handle,
                                      const CudnnNode& operation) {
  CudnnNode graph(library, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.link(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle);
  graph.finalize();
  CudnnNode heuristic(library, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.link(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A);
  heuristic.finalize();
  std::vector<CudnnNode> nodes;
  std::vector<cudnnBackendDescriptor_t> raw;
  const auto read = [&] {
    return heuristic.read(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                          std::span(raw));
  };
  for (std::int64_t left = read(); left > 0; --left) {
    raw.push_back(nodes.emplace_back(library, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
  }
  if (nodes.empty()) throw Error("it has no engine for it");
  nodes.erase(nodes.begin() + read(), nodes.end());
  return nodes;
}

}  // namespace

Cudnn::Cudnn() {
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Error(std::string(kLibrary) + " is not there");
  const auto find = [library](auto* call, const char* name) {
    *call = reinterpret_cast<std::remove_pointer_t<decltype(call)>>(dlsym(library, name));
    if (*call == nullptr) throw Error(std::string(kLibrary) + " has no " + name);
  };
  find(&version, "cudnnGetVersion");
  if (version() < kLeastVersion) {
    throw Error(std::string(kLibrary) + " is of version " + version_text() + ", older than " +
                text_of_version(kLeastVersion));
  }
  find(&error_string, "cudnnGetErrorString");
  find(&last_error_string, "cudnnGetLastErrorString");
  find(&create, "cudnnCreate");
  find(&destroy, "cudnnDestroy");
  find(&set_stream, "cudnnSetStream");
  find(&create_descriptor, "cudnnBackendCreateDescriptor");
  find(&destroy_descriptor, "cudnnBackendDestroyDescriptor");
  find(&set_attribute, "cudnnBackendSetAttribute");
  find(&get_attribute, "cudnnBackendGetAttribute");
  find(&finalize, "cudnnBackendFinalize");
  find(&execute, "cudnnBackendExecute");
}

void Cudnn::check(cudnnStatus_t status, const char* call) const {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 512> detail{};
  last_error_string(detail.data(), detail.size());
  throw Error(std::string(call) + ": " + error_string(status) + " " + printable(detail.data()));
}

std::string Cudnn::version_text() const { return text_of_version(version()); }

CudnnNode::CudnnNode(const Cudnn& library, cudnnBackendDescriptorType_t type)
    : library_(&library), node_(nullptr, Destroyer{&library}) {
  cudnnBackendDescriptor_t made = nullptr;
  library.check(library.create_descriptor(type, &made), "cudnnBackendCreateDescriptor");
  node_.reset(made);
}

CudnnNode cudnn_tensor(const Cudnn& library, std::int64_t id, cudnnDataType_t type,
                       std::span<const std::int64_t> dims, std::span<const std::int64_t> strides,
                       bool on_host) {
  CudnnNode node(library, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  node.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type);
  node.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, dims);
  node.set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides);
  node.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, id);
  node.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, kAlignment);
  node.set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, on_host);
  node.finalize();
  return node;
}

CudnnPlan::CudnnPlan(const Cudnn& library, cudnnHandle_t handle, const CudnnNode& operation)
    : library_(&library), handle_(handle) {
  std::string why;
  for (CudnnNode& engine : configurations(library, handle, operation)) {
    try {
      compile(std::move(engine));
      return;
    } catch (const Error& error) {  // the next one may work
      if (why.find(error.what()) != std::string::npos) continue;
      why += (why.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  throw Error(why);
}

void CudnnPlan::compile(CudnnNode engine) {
  if (!gives_same_bits(*library_, engine)) throw Error("its sums have no fixed order");
  CudnnNode plan(*library_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle_);
  plan.link(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engine);
  plan.finalize();
  std::int64_t bytes = 0;
  plan.read(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, std::span(&bytes, 1));
  if (bytes > kMostWorkspace) {
    throw Error("it wants " + std::to_string(bytes) + " bytes to work in");
  }
  if (bytes > 0) CDT_CUDA(cudaMalloc(&workspace_, static_cast<std::size_t>(bytes)));
  workspace_bytes_ = static_cast<std::size_t>(bytes);
  engine_ = std::move(engine);
  plan_ = std::move(plan);
}

CudnnPlan::~CudnnPlan() { cudaFree(workspace_); }

void CudnnPlan::run(std::span<const std::int64_t> ids, std::span<void* const> data) const {
  CudnnNode pack(*library_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data);
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace_);
  pack.finalize();
  library_->check(library_->execute(handle_, plan_->get(), pack.get()), "cudnnBackendExecute");
}

}  // namespace cdt
