// What a program asks a device for, in the order it asks: launches, products, copies. A test may
// keep the list, and may have nothing of it done, so that a step at full size is listed in a
// moment.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/emulation/include/cuda_runtime.h"
#include "tests/emulation/matmul.h"

namespace cdt::emulation {

enum class IssueKind : std::uint8_t { kKernel, kProduct, kCopy, kFill };

struct Issue {
  IssueKind kind = IssueKind::kKernel;
  std::string name;       // of a kernel; types of a product, such as "bf16 to fp32"; way of a copy
  bool recorded = false;  // as a node of a graph
  std::array<unsigned, 3> grid{};               // of a kernel
  unsigned threads = 0;                         // of its blocks
  std::size_t shared = 0;                       // their dynamic shared memory in bytes
  std::int64_t m = 0, n = 0, k = 0, batch = 0;  // of a product, row-major as in engine/backend.h
  std::size_t bytes = 0;                        // that a product, copy or fill reads and writes

  bool operator==(const Issue& other) const = default;
};

/// While it is on, nothing is computed or copied: device memory is never touched, so that pages it
/// would take are not taken, and what comes back to the host is what lay there. All checks of calls
/// are made as ever.
void set_dry(bool on);
bool dry();

/// Keeps what is issued from now on, from an empty list.
void start_journal();
std::size_t journal_size();
/// The list so far, and the end of keeping it.
std::vector<Issue> take_journal();

/// Hands `work` to its stream, or none in its place in a dry run, and keeps what `describe` says.
cudaError_t issue(cudaStream_t handle, std::function<void()> work,
                  const std::function<Issue()>& describe);

Issue describe_kernel(const void* kernel, dim3 grid, dim3 block, std::size_t shared);
Issue describe_product(const MatmulShape& shape);

}  // namespace cdt::emulation
