// The threads that share the work of CPU kernels, which live as long as the process, and loops over
// tasks on them. Which task runs on which thread is left open: a task's results must depend on
// its number alone, so the bits are the same at any thread count.
#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>

#include "engine/tensor.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace cdt {

/// Threads a program takes unless it is told a number: OMP_NUM_THREADS, else the cores this process
/// may run on.
int default_threads();

/// body(thread) on the caller's thread, thread = 0, and on up to `threads` - 1 others, each with a
/// number of its own below `threads`. Returns when every body that began has ended. How many begin
/// is left open: one that has not begun when the caller's ends does not begin at all; within a
/// body, beside another call, and where the system starts no more threads, they are fewer. So a
/// body must take its work from a list until this is empty. body must not throw.
void run_on_threads(int threads, const std::function<void(int)>& body);

inline constexpr unsigned kFlushDenormals = 0x8040U;  // of the x86 control register, in and out

/// The state of a thread inside a kernel: denormals flushed, oneDNN sequential (it takes its thread
/// count from OpenMP's).
class WorkerScope {
 public:
  WorkerScope() : openmp_threads_(omp_get_max_threads()) {
    omp_set_num_threads(1);
#if defined(__SSE__)
    control_ = _mm_getcsr();
    _mm_setcsr(control_ | kFlushDenormals);
#endif
  }
  ~WorkerScope() {
#if defined(__SSE__)
    _mm_setcsr(control_);
#endif
    omp_set_num_threads(openmp_threads_);
  }
  WorkerScope(const WorkerScope&) = delete;
  WorkerScope& operator=(const WorkerScope&) = delete;

 private:
  int openmp_threads_;
  unsigned control_ = 0;
};

/// body(task, thread) for every task in [0, tasks), thread < threads. The first exception is
/// rethrown at the end; tasks that have not begun by then are left out.
template <class Body>
void parallel_for(int threads, std::int64_t tasks, const Body& body) {
  if (threads == 1 || tasks <= 1) {
    const WorkerScope scope;
    for (std::int64_t task = 0; task < tasks; ++task) body(task, 0);
    return;
  }
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr failure;
  run_on_threads(static_cast<int>(std::min<std::int64_t>(threads, tasks)), [&](int thread) {
    const WorkerScope scope;
    try {
      for (std::int64_t task = next++; task < tasks; task = next++) body(task, thread);
    } catch (...) {
      next = tasks;
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

/// Elements one task of an element-wise loop handles.
inline constexpr std::int64_t kGrain = 16384;

/// Threads worth waking for `products` multiply-adds. Some 20 us of work; with less, the caller is
/// done before the others have begun, all the more on a machine that is busy.
inline int threads_for(int threads, std::int64_t products) {
  constexpr std::int64_t kWorthSharing = std::int64_t{1} << 21U;
  return products < kWorthSharing ? 1 : threads;
}
/// For passes over `elements`.
inline int threads_for_elements(int threads, std::int64_t elements) {
  return elements < 3 * kGrain ? 1 : threads;
}

/// [0, n) in near-equal pieces of at most `largest`, a multiple of `step`; all but the last are
/// multiples of `step` too.
struct Cut {
  std::int64_t n, piece, count;

  Cut(std::int64_t size, std::int64_t largest, std::int64_t step)
      : n(size),
        piece(ceil_div(ceil_div(size, ceil_div(size, largest)), step) * step),
        count(ceil_div(size, piece)) {}
  std::int64_t begin(std::int64_t i) const { return i * piece; }
  std::int64_t length(std::int64_t i) const { return std::min(piece, n - begin(i)); }
};

/// body(begin, end) over pieces of [0, n).
template <class Body>
void for_ranges(int threads, std::int64_t n, std::int64_t grain, const Body& body) {
  parallel_for(threads, ceil_div(n, grain), [&](std::int64_t task, int) {
    body(task * grain, std::min(n, (task + 1) * grain));
  });
}

/// body(begin, end) over groups of the rows of a (rows, cols) tensor.
template <class Body>
void for_rows(int threads, std::int64_t rows, std::int64_t cols, const Body& body) {
  for_ranges(threads_for_elements(threads, rows * cols), rows,
             std::max<std::int64_t>(1, kGrain / cols), body);
}

}  // namespace cdt
