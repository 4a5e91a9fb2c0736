// A way for a program to stop long work that knows nothing of signals, such as reading a large
// file: it asks between pieces, and what the program has set may throw.
#pragma once

#include <array>
#include <atomic>
#include <csignal>

namespace cdt {

/// The signals by which a user ends a program.
inline constexpr std::array<int, 3> kEndSignals = {SIGINT, SIGTERM, SIGHUP};

/// What poll() calls; null: nothing. It is called in the thread that does the work.
inline std::atomic<void (*)()> polled{nullptr};
inline void set_poll(void (*ask)()) { polled = ask; }

/// For long work: to be called several times a second.
inline void poll() {
  if (void (*const ask)() = polled) ask();
}

/// While one lives poll() does nothing: for short work that must not end half way.
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
