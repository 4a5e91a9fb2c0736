// The part of cuDNN's graph API that one operation needs: the functions, looked up in the library;
// descriptors; and the operation compiled for a GPU.
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cdt {

/// The functions used from libcudnn.so.9, which is opened here and stays open.
struct Cudnn {
  /// Throws Error if the library is missing or older than the first version with attention as one
  /// operation.
  Cudnn();
  /// Throws Error with the library's message unless status is success.
  void check(cudnnStatus_t status, const char* call) const;
  std::string version_text() const;

  decltype(&cudnnGetVersion) version = nullptr;
  decltype(&cudnnGetErrorString) error_string = nullptr;
  decltype(&cudnnGetLastErrorString) last_error_string = nullptr;
  decltype(&cudnnCreate) create = nullptr;
  decltype(&cudnnDestroy) destroy = nullptr;
  decltype(&cudnnSetStream) set_stream = nullptr;
  decltype(&cudnnBackendCreateDescriptor) create_descriptor = nullptr;
  decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor = nullptr;
  decltype(&cudnnBackendSetAttribute) set_attribute = nullptr;
  decltype(&cudnnBackendGetAttribute) get_attribute = nullptr;
  decltype(&cudnnBackendFinalize) finalize = nullptr;
  decltype(&cudnnBackendExecute) execute = nullptr;
};

/// A descriptor of the graph API.
class CudnnNode {
 public:
  CudnnNode(const Cudnn& library, cudnnBackendDescriptorType_t type);

  cudnnBackendDescriptor_t get() const { return node_.get(); }
  template <class T>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
           std::span<const T> values) {
    library_->check(
        library_->set_attribute(node_.get(), name, type, static_cast<std::int64_t>(values.size()),
                                values.data()),
        "cudnnBackendSetAttribute");
  }
  template <class T>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
    set(name, type, std::span<const T>(&value, 1));
  }
  void link(cudnnBackendAttributeName_t name, const CudnnNode& other) {
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, other.get());
  }
  /// Fills `values` and returns how many were read; with empty `values`, how many there are.
  template <class T>
  std::int64_t read(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                    std::span<T> values) const {
    std::int64_t count = 0;
    library_->check(
        library_->get_attribute(node_.get(), name, type, static_cast<std::int64_t>(values.size()),
                                &count, values.data()),
        "cudnnBackendGetAttribute");
    return count;
  }
  void finalize() { library_->check(library_->finalize(node_.get()), "cudnnBackendFinalize"); }

 private:
  struct Destroyer {
    const Cudnn* library;
    using pointer = cudnnBackendDescriptor_t;
    void operator()(pointer node) const { library->destroy_descriptor(node); }
  };
  const Cudnn* library_;
  std::unique_ptr<void, Destroyer> node_;
};

/// Describes a tensor of an operation; `id` identifies its memory in CudnnPlan::run().
CudnnNode cudnn_tensor(const Cudnn& library, std::int64_t id, cudnnDataType_t type,
                       std::span<const std::int64_t> dims, std::span<const std::int64_t> strides,
                       bool on_host = false);

/// One operation compiled for this GPU, and its workspace.
class CudnnPlan {
 public:
  /// Throws Error if no deterministic engine supports the operation.
  CudnnPlan(const Cudnn& library, cudnnHandle_t handle, const CudnnNode& operation);
  ~CudnnPlan();
  CudnnPlan(const CudnnPlan&) = delete;
  CudnnPlan& operator=(const CudnnPlan&) = delete;

  /// data[i]: memory of tensor ids[i].
  void run(std::span<const std::int64_t> ids, std::span<void* const> data) const;
  std::size_t workspace_bytes() const { return workspace_bytes_; }

 private:
  void compile(CudnnNode engine);

  const Cudnn* library_;
  cudnnHandle_t handle_;
  std::optional<CudnnNode> engine_, plan_;
  void* workspace_ = nullptr;
  std::size_t workspace_bytes_ = 0;
};

}  // namespace cdt
