#include <linux/futex.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#include "engine/cpu/parallel.h"

namespace cdt {
namespace {

/// Long enough for the next kernel of a step to start. A thread that waits longer sleeps, because
/// on a busy machine its spinning would take time from the thread it waits for. With more threads
/// than cores it sleeps at once.
constexpr std::chrono::microseconds kSpin{5};

void pause_briefly() {
#if defined(__x86_64__)
  for (int i = 0; i < 8; ++i) __builtin_ia32_pause();
#endif
}

/// Spins for up to kSpin until ready() holds; returns whether it did.
template <class Ready>
bool spin_until(const Ready& ready) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    if (ready()) return true;
    pause_briefly();
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

/// Sleeps while `word` equals `value`; wake() wakes up to `count` such threads. These are direct
/// futex calls because std::atomic's wait() first yields the core, which on a busy machine costs
/// milliseconds.
void sleep_while(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT_PRIVATE, value, nullptr);
}
void wake(std::atomic<std::uint32_t>& word, int count) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE_PRIVATE, count);
}

/// Blocks signals in new threads: only the thread that started the program has the stack that
/// handlers need (apps/common/interrupt.cc). A thread's own faults are not blocked.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
      sigdelset(&all, fault);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

/// Moves a thread to its own place if OpenMP binds threads (OMP_PROC_BIND, OMP_PLACES): then the
/// first thread is bound to one place, and the threads it starts would inherit that place.
void take_place(int thread) {
  const int places = omp_get_num_places();
  if (omp_get_proc_bind() == omp_proc_bind_false || places == 0) return;
  std::vector<int> cores(static_cast<std::size_t>(omp_get_place_num_procs(thread % places)));
  omp_get_place_proc_ids(thread % places, cores.data());
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) {
    if (core >= 0 && core < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(core), &set);
  }
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

class ThreadPool {
 public:
  void run(int threads, const std::function<void(int)>& body) {
    // Within a body, or while another call runs, the pool is in use.
    if (in_use_.test_and_set()) return body(0);
    start_threads(threads - 1);
    const int others = std::min(threads - 1, started_);
    if (others > 0) open(others, body);
    body(0);
    if (others > 0) close();
    in_use_.clear();
  }

 private:
  // seats_: number of threads that may still enter (upper half), and number inside (lower half).
  static constexpr std::uint32_t kFree = 1U << 16U;
  static constexpr std::uint32_t kInside = kFree - 1;

  void start_threads(int wanted) {
    if (started_ >= wanted || refused_) return;
    const SignalsBlocked blocked;
    try {
      for (; started_ < wanted; ++started_) {
        std::thread([this, thread = started_ + 1] { serve(thread); }).detach();
      }
    } catch (const std::exception&) {
      refused_ = true;  // the existing threads do the work
    }
    spins_ = started_ < omp_get_num_procs();
  }

  void open(int others, const std::function<void(int)>& body) {
    body_ = &body;
    seats_ = static_cast<std::uint32_t>(others) * kFree;
    ++call_;
    wake(call_, others);
  }

  /// Lets no more threads in and waits for those inside.
  void close() {
    std::uint32_t seats = seats_ &= kInside;
    if (seats == 0 || spin_until([this] { return seats_ == 0; })) return;
    for (seats = seats_; seats != 0; seats = seats_) sleep_while(seats_, seats);
  }

  /// Lets the calling thread in if there is a seat; returns its number, or 0 if there is none.
  int come_in() {
    std::uint32_t seats = seats_;
    while (seats >= kFree) {
      if (seats_.compare_exchange_weak(seats, seats - kFree + 1)) {
        return static_cast<int>(seats / kFree);
      }
    }
    return 0;
  }

  void serve(int thread) {
    take_place(thread);
    for (;;) {
      const std::uint32_t call = call_;
      const int number = come_in();
      if (number > 0) {
        (*body_)(number);
        if (--seats_ == 0) wake(seats_, 1);
      } else if (!spins_ || !spin_until([&] { return call_ != call; })) {
        sleep_while(call_, call);
      }
    }
  }

  std::atomic_flag in_use_;
  int started_ = 0;
  bool refused_ = false;  // the system refused to start another thread
  std::atomic<bool> spins_{true};
  const std::function<void(int)>* body_ = nullptr;  // valid while seats_ is not 0
  std::atomic<std::uint32_t> seats_{0};
  std::atomic<std::uint32_t> call_{0};  // incremented when seats become free
};

// Never destroyed, because its threads may wait in it until the process ends. After fork() a child
// has none of these threads and starts its own pool.
std::atomic<ThreadPool*> the_pool{nullptr};

ThreadPool& pool() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { the_pool = nullptr; });
  static_cast<void>(registered);
  ThreadPool* found = the_pool;
  if (found != nullptr) return *found;
  auto* made = new ThreadPool;
  if (the_pool.compare_exchange_strong(found, made)) return *made;
  delete made;
  return *found;
}

}  // namespace

int default_threads() { return omp_get_max_threads(); }

void run_on_threads(int threads, const std::function<void(int)>& body) {
  pool().run(threads, body);
}

}  // namespace cdt
