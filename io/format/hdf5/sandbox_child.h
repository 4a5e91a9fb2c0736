// The child's side of a SandboxedProcess.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstring>
#include <functional>
#include <string>

#include "io/format/hdf5/sandbox.h"

namespace cdt {

/// The child's first answer: why it has no system call filter, "" if it has one.
struct FilterReport {
  std::array<char, 256> reason{};

  FilterReport() = default;
  explicit FilterReport(const std::string& text) { text.copy(reason.data(), reason.size() - 1); }
  std::string text() const { return {reason.data(), strnlen(reason.data(), reason.size())}; }
};

/// Closes all other descriptors, calls prepare(), gives up what SandboxedProcess says, reports the
/// filter, calls work() and exits. It ends with its parent.
[[noreturn]] void run_sandboxed(pid_t parent, const SandboxEnds& ends, const SandboxLimits& limits,
                                const std::function<void()>& prepare,
                                const std::function<void(const SandboxEnds&)>& work);

/// Reads or writes exactly `size` bytes; ends the process if the parent is gone.
void read_request(int requests, void* out, std::size_t size);
void write_answer(int answers, const void* data, std::size_t size);

}  // namespace cdt
