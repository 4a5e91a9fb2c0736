// What a test runs in a sandboxed process, and how its parent hears of it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "io/format/hdf5/sandbox.h"
#include "io/format/hdf5/sandbox_child.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt::test {

/// How a sandboxed process ended: by an answer of one character, or by an error of its parent.
struct SandboxOutcome {
  std::optional<char> answer;
  std::string message;
  std::optional<SandboxError::Ending> ending;  // of a SandboxError
};

struct SandboxWork {
  TempDir dir;
  std::filesystem::path path = dir.path / "file.h5";
  SandboxLimits limits;
  std::function<void()> prepare = [] {};

  SandboxWork() { write_bytes(path, "content"); }

  /// The child answers with what `work` returns.
  SandboxOutcome run(const std::function<char(const SandboxEnds&)>& work) const {
    const InputFile file(path);
    SandboxOutcome out;
    try {
      SandboxedProcess child(
          file, prepare,
          [&work](const SandboxEnds& ends) {
            const char answer = work(ends);
            write_answer(ends.answers, &answer, 1);
          },
          limits);
      child.begin_step();
      char answer = '\0';
      child.receive(&answer, 1);
      out.answer = answer;
    } catch (const SandboxError& error) {
      out.message = error.what();
      out.ending = error.ending();
    } catch (const Error& error) {
      out.message = error.what();
    }
    return out;
  }
  SandboxOutcome run(const std::function<char()>& work) const {
    return run([&work](const SandboxEnds&) { return work(); });
  }
};

/// Number of this process's open descriptors.
inline std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

}  // namespace cdt::test
