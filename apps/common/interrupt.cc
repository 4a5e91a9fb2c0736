#include "apps/common/interrupt.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

#include "engine/error.h"
#include "engine/poll.h"

namespace cdt {
namespace {

constexpr std::int64_t kNever = -1;
constexpr std::int64_t kTogether = 1'000'000'000;  // ns within which signals are one

// What handlers use: on any thread, so lock-free atomics and calls that are safe there.
std::atomic<std::int64_t> first_at{kNever};  // ns of the monotonic clock
std::array<char, 256> last_words;
std::size_t last_words_size = 0;

std::int64_t now() {
  timespec t = {};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void note_signal(int signal) {
  const int error = errno;
  std::int64_t first = kNever;
  const std::int64_t at = now();
  if (!first_at.compare_exchange_strong(first, at) && at - first > kTogether) {
    static_cast<void>(!write(STDERR_FILENO, last_words.data(), last_words_size));
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
    raise(signal);  // it ends the process when this handler returns
  }
  errno = error;
}

/// oneDNN's product kernels keep data below the stack pointer, past what the ABI protects, and a
/// handler on the same stack overwrites it (seen with 2.6.3 and a transposed A: heap corruption).
/// Signals to the process go to the main thread, which calls this.
void handle_on_a_stack_apart() {
  stack_t held = {};
  if (sigaltstack(nullptr, &held) == 0 && (held.ss_flags & SS_DISABLE) == 0) return;
  static std::array<char, std::size_t{1} << 16U> memory;
  stack_t apart = {};
  apart.ss_sp = memory.data();
  apart.ss_size = memory.size();
  if (sigaltstack(&apart, nullptr) != 0) throw Error("sigaltstack failed");
}

}  // namespace

void catch_interrupts(const char* name, const char* lost) {
  const std::string line = std::string(name) + ": stopped at once: " + lost + "\n";
  CDT_CHECK(line.size() <= last_words.size(), "a longer line than there is room for");
  last_words_size = line.copy(last_words.data(), line.size());
  handle_on_a_stack_apart();
  set_poll(stop_if_interrupted);
  for (const int signal : kEndSignals) {
    struct sigaction before = {};
    if (sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    struct sigaction action = {};
    action.sa_handler = note_signal;
    action.sa_flags = static_cast<int>(SA_RESTART | SA_ONSTACK);
    for (const int other : kEndSignals) sigaddset(&action.sa_mask, other);
    sigaction(signal, &action, nullptr);
  }
}

bool interrupted() { return first_at != kNever; }

void stop_if_interrupted() {
  if (interrupted()) throw Error("interrupted; nothing is kept");
}

}  // namespace cdt
