// The thread pool of the CPU kernels, which lives as long as the process, and loops over tasks on
// it. Any task may run on any thread, so a task's result must depend on its index alone; then the
// bits are the same at any thread count.
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

/// Default number of threads: OMP_NUM_THREADS, else the number of cores this process may run on.
int default_threads();

/// Runs body(thread) on the caller's thread (thread = 0) and on up to `threads` - 1 others, each
/// with its own number below `threads`. Returns when every body that started has ended. Others may
/// not start at all: if the caller's body ends first, inside another body, while another call runs,
/// or if the system starts no more threads. So a body must take its work from a shared list until
/// that is empty. It must not throw.
void run_on_threads(int threads, const std::function<void(int)>& body);

inline constexpr unsigned kFlushDenormals = 0x8040U;  // bits of the x86 MXCSR: inputs and results

/// Sets a thread's state for kernel code: denormals flushed to zero, and oneDNN sequential (it
/// takes its thread count from OpenMP).
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

/// Runs body(task, thread) for every task in [0, tasks), thread < threads. The first exception is
/// rethrown at the end; tasks that have not started by then are skipped.
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

/// Elements per task of an element-wise loop.
inline constexpr std::int64_t kGrain = 16384;

/// Number of threads worth waking for `products` multiply-adds. The threshold is some 20 us of
/// work; below it the caller is done before the others have started, even more so on a busy
/// machine.
inline int threads_for(int threads, std::int64_t products) {
  constexpr std::int64_t kWorthSharing = std::int64_t{1} << 21U;
  return products < kWorthSharing ? 1 : threads;
}
/// As threads_for(), for element-wise passes over `elements`.
inline int threads_for_elements(int threads, std::int64_t elements) {
  return elements < 3 * kGrain ? 1 : threads;
}

/// Splits [0, n) into near-equal pieces of at most `largest`, a multiple of `step`; all pieces but
/// the last are multiples of `step` too.
struct Cut {
  std::int64_t n, piece, count;

  Cut(std::int64_t size, std::int64_t largest, std::int64_t step)
      : n(size),
        piece(ceil_div(ceil_div(size, ceil_div(size, largest)), step) * step),
        count(ceil_div(size, piece)) {}
  std::int64_t begin(std::int64_t i) const { return i * piece; }
  std::int64_t length(std::int64_t i) const { return std::min(piece, n - begin(i)); }
};

/// Runs body(begin, end) on pieces of [0, n).
template <class Body>
void for_ranges(int threads, std::int64_t n, std::int64_t grain, const Body& body) {
  parallel_for(threads, ceil_div(n, grain), [&](std::int64_t task, int) {
    body(task * grain, std::min(n, (task + 1) * grain));
  });
}

/// Runs body(begin, end) on groups of rows of a (rows, cols) tensor.
template <class Body>
void for_rows(int threads, std::int64_t rows, std::int64_t cols, const Body& body) {
  for_ranges(threads_for_elements(threads, rows * cols), rows,
             std::max<std::int64_t>(1, kGrain / cols), body);
}

}  // namespace cdt
