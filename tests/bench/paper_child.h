// Runs work in a child process, which keeps its peak memory and its effect on a GPU separate.
#pragma once

#include <cstddef>
#include <functional>
#include <type_traits>

namespace cdt {

/// Runs `work` in a child process and copies back the `bytes` at `result` that it fills. Returns
/// the peak of the child's resident memory in bytes. A child that fails has printed why; this
/// process then ends with its exit status.
double run_in_child(const char* name, const std::function<void()>& work, void* result,
                    std::size_t bytes);

template <class Result>
struct FromChild {
  Result result{};
  double peak_bytes = 0;  // resident, on the host
};

template <class Result>
FromChild<Result> in_child(const char* name, const std::function<Result()>& work) {
  static_assert(std::is_trivially_copyable_v<Result>);
  FromChild<Result> back;
  back.peak_bytes = run_in_child(
      name, [&] { back.result = work(); }, &back.result, sizeof back.result);
  return back;
}

}  // namespace cdt
