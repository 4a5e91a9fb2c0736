#include "io/poll.h"

#include <atomic>

namespace cdt {
namespace {
std::atomic<void (*)()> g_poll{nullptr};
}  // namespace

void set_read_poll(void (*poll)()) { g_poll = poll; }

void poll_read() {
  void (*const poll)() = g_poll;
  if (poll != nullptr) poll();
}

}  // namespace cdt
