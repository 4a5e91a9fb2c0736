// Descriptors of cuDNN's graph API: what attributes they have, and which go together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/emulation/cudnn.h"

namespace cdt::emulation {

constexpr int kEngineNumber = -1;  // of a configuration's and an engine's values: which it is

/// A descriptor. What it names lives on with it.
struct CudnnNode {
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<int, std::vector<std::int64_t>> values;  // a word for each element
  std::map<int, std::shared_ptr<const CudnnNode>> linked;

  const CudnnNode& to(int name) const { return *linked.at(name); }
  std::int64_t word(int name) const { return values.at(name).front(); }
};

/// The environment's word on the library, CDT_EMULATED_CUDNN; "" for one that is right.
std::string planted_in_cudnn();

/// Keeps `why` for cudnnGetLastErrorString, as a finding too where the caller is to blame.
cudnnStatus_t refuse_in_cudnn(const std::string& why,
                              cudnnStatus_t status = CUDNN_STATUS_BAD_PARAM);
const std::string& last_cudnn_refusal();

/// Null where it is none that lives.
std::shared_ptr<CudnnNode> cudnn_node_of(const void* descriptor);

/// Can the program ask a finalized descriptor for this?
bool has_answer(const CudnnNode& node, int name, cudnnBackendAttributeType_t type);

/// The tensors of an operation, and all of them in a row.
Sdpa sdpa_of(const CudnnNode& operation);
std::vector<SdpaTensor*> tensors_of(Sdpa& a);

}  // namespace cdt::emulation
