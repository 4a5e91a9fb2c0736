// Records what a program requests from a device, in order: launches, products, copies. A test may
// keep the list without executing anything, so that a full-size step is listed in a moment.
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
  std::string name;  // of a kernel; types of a product, such as "bf16 to fp32"; direction of a copy
  bool recorded = false;                        // as a node of a graph
  std::array<unsigned, 3> grid{};               // of a kernel
  unsigned threads = 0;                         // per block
  std::size_t shared = 0;                       // per block, dynamic shared memory in bytes
  std::int64_t m = 0, n = 0, k = 0, batch = 0;  // of a product, row-major as in engine/backend.h
  std::size_t bytes = 0;                        // read and written by a product, copy or fill

  bool operator==(const Issue& other) const = default;
};

/// While it is on, nothing is computed or copied. Device memory is never touched, so it takes no
/// pages, and what comes back to the host is whatever was there. All checks of calls are still
/// made.
void set_dry(bool on);
bool dry();

/// Starts a new list of everything that is issued.
void start_journal();
std::size_t journal_size();
/// Returns the list and stops recording.
std::vector<Issue> take_journal();

/// Passes `work` to its stream, or an empty function in a dry run, and records what `describe`
/// returns.
cudaError_t issue(cudaStream_t handle, std::function<void()> work,
                  const std::function<Issue()>& describe);

Issue describe_kernel(const void* kernel, dim3 grid, dim3 block, std::size_t shared);
Issue describe_product(const MatmulShape& shape);

}  // namespace cdt::emulation
