// Lets a program interrupt long work, such as reading a large file, that knows nothing of signals.
// The work calls poll() between pieces; the function that the program installed may throw.
#pragma once

#include <array>
#include <atomic>
#include <csignal>

namespace cdt {

/// The signals by which a user or a batch system ends a program; SIGXCPU: its processor time is
/// used up.
inline constexpr std::array<int, 4> kEndSignals = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};

/// The function that poll() calls, in the thread that does the work; null: none.
inline std::atomic<void (*)()> polled{nullptr};
inline void set_poll(void (*ask)()) { polled = ask; }

/// Long work calls this several times a second.
inline void poll() {
  if (void (*const ask)() = polled) ask();
}

/// Disables poll() for its lifetime: for short work that must not be interrupted half way.
class PollPause {
 public:
  PollPause() : before_(polled.exchange(nullptr)) {}
  ~PollPause() { polled = before_; }
  PollPause(const PollPause&) = delete;
  PollPause& operator=(const PollPause&) = delete;

 private:
  void (*before_)();
};

}  // namespace cdt
