// Descriptors of cuDNN's graph API: their attributes, and which are consistent.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/emulation/cudnn.h"

namespace cdt::emulation {

constexpr int kEngineNumber = -1;  // among a configuration's and an engine's values: its number

/// A descriptor. It keeps the descriptors that it names alive.
struct CudnnNode {
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<int, std::vector<std::int64_t>> values;  // one word per element
  std::map<int, std::shared_ptr<const CudnnNode>> linked;

  const CudnnNode& to(int name) const { return *linked.at(name); }
  std::int64_t word(int name) const { return values.at(name).front(); }
};

/// CDT_EMULATED_CUDNN, which says what is wrong with the library; "" if nothing is.
std::string planted_in_cudnn();

/// Stores `why` for cudnnGetLastErrorString, and also as a finding if the caller is to blame.
cudnnStatus_t refuse_in_cudnn(const std::string& why,
                              cudnnStatus_t status = CUDNN_STATUS_BAD_PARAM);
const std::string& last_cudnn_refusal();

/// Null if it is not a live descriptor.
std::shared_ptr<CudnnNode> cudnn_node_of(const void* descriptor);

/// True if the program can query a finalized descriptor for this.
bool has_answer(const CudnnNode& node, int name, cudnnBackendAttributeType_t type);

/// The tensors of an operation, and all of them in sequence.
Sdpa sdpa_of(const CudnnNode& operation);
std::vector<SdpaTensor*> tensors_of(Sdpa& a);

}  // namespace cdt::emulation
