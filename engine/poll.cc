#include "engine/poll.h"

#include <atomic>

namespace cdt {
namespace {
std::atomic<void (*)()> g_poll{nullptr};
}  // namespace

void set_poll(void (*ask)()) { g_poll = ask; }

void poll() {
  void (*const ask)() = g_poll;
  if (ask != nullptr) ask();
}

PollPause::PollPause() : before_(g_poll.exchange(nullptr)) {}

PollPause::~PollPause() { g_poll = before_; }

}  // namespace cdt
