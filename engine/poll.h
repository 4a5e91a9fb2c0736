// A way for a program to stop long work that knows nothing of signals, such as reading a large
// file: it asks between pieces, and what the program has set may throw.
#pragma once

#include <array>
#include <csignal>

namespace cdt {

/// The signals by which a user ends a program.
inline constexpr std::array<int, 3> kEndSignals = {SIGINT, SIGTERM, SIGHUP};

/// Called between pieces from this call on; null: nothing. Long work asks in the thread that runs
/// it.
void set_poll(void (*ask)());

/// For long work: to be called several times a second.
void poll();

/// While one lives nothing is asked: for short work that must not end half way.
class PollPause {
 public:
  PollPause();
  ~PollPause();
  PollPause(const PollPause&) = delete;
  PollPause& operator=(const PollPause&) = delete;

 private:
  void (*before_)();
};

}  // namespace cdt
