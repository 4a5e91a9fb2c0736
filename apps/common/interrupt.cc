#include "apps/common/interrupt.h"

#include <array>
#include <csignal>
#include <cstddef>
#include <initializer_list>

#include "engine/error.h"
#include "io/poll.h"

namespace cdt {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

void note_signal(int /*signal*/) { g_interrupted = 1; }

/// oneDNN's product kernels keep data below the stack pointer, past what the ABI protects, and a
/// handler on the same stack overwrites it (seen with 2.6.3 and a transposed A: heap corruption).
/// Signals to the process go to the main thread, which calls this.
void handle_on_a_stack_apart() {
  stack_t now = {};
  if (sigaltstack(nullptr, &now) == 0 && (now.ss_flags & SS_DISABLE) == 0) return;
  static std::array<char, std::size_t{1} << 16U> memory;
  stack_t apart = {};
  apart.ss_sp = memory.data();
  apart.ss_size = memory.size();
  if (sigaltstack(&apart, nullptr) != 0) throw Error("sigaltstack failed");
}

}  // namespace

void catch_interrupts() {
  handle_on_a_stack_apart();
  set_read_poll(stop_if_interrupted);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before = {};
    if (sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    struct sigaction action = {};
    action.sa_handler = note_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART | SA_ONSTACK);
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
}

bool interrupted() { return g_interrupted != 0; }

void stop_if_interrupted() {
  if (interrupted()) throw Error("interrupted; nothing is kept");
}

}  // namespace cdt
