#include "apps/common/interrupt.h"

#include <csignal>
#include <initializer_list>

#include "engine/error.h"

namespace cdt {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

void note_signal(int /*signal*/) { g_interrupted = 1; }

}  // namespace

void catch_interrupts() {
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before = {};
    if (sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    struct sigaction action = {};
    action.sa_handler = note_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
}

bool interrupted() { return g_interrupted != 0; }

void stop_if_interrupted() {
  if (interrupted()) throw Error("interrupted; nothing is kept");
}

}  // namespace cdt
