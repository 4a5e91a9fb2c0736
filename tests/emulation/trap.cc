#include "tests/emulation/trap.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): POSIX
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "tests/emulation/block.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/shared_memory.h"

namespace cdt::emulation {
namespace {

constexpr std::size_t kStackBytes = std::size_t{256} << 10U;
alignas(16) char landing_stack[kStackBytes];
void* trapped_address;
bool trapped_write;
struct sigaction previous_handler;

/// Where a thread whose access trapped continues: on a separate stack, since its own may be the
/// cause.
[[noreturn]] void land() {
  const std::string what = trapped_write ? "writes" : "reads";
  std::string where = describe_address(trapped_address);
  if (where.empty()) where = describe_dynamic_shared(trapped_address);
  if (where.empty()) {
    where = "address " + std::to_string(reinterpret_cast<std::uintptr_t>(trapped_address)) +
            ", far from any allocation (or its stack is exhausted)";
  }
  give_up(running_thread() + " " + what + " " + where, cudaErrorIllegalAddress);
}

/// The signal stack of a thread, if it has none yet.
class AlternateStack {
 public:
  AlternateStack() {
    stack_t present{};
    if (sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
    memory_ = std::make_unique<char[]>(kStackBytes);
    const stack_t stack{.ss_sp = memory_.get(), .ss_flags = 0, .ss_size = kStackBytes};
    sigaltstack(&stack, nullptr);
  }
  ~AlternateStack() {
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    if (memory_) sigaltstack(&none, nullptr);
  }
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  std::unique_ptr<char[]> memory_;
};

void say(const char* text) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, std::strlen(text));
}

void on_signal(int, siginfo_t* info, void* context) {
  if (track_write(info->si_addr)) return;
#if defined(__x86_64__)
  if (in_kernel()) {
    greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    constexpr greg_t kWriteBit = 2;
    trapped_address = info->si_addr;
    trapped_write = (registers[REG_ERR] & kWriteBit) != 0;
    // As if land() had been called with the landing stack in place of the thread's.
    registers[REG_RSP] = reinterpret_cast<greg_t>(landing_stack + kStackBytes - 8);
    registers[REG_RIP] = reinterpret_cast<greg_t>(&land);
    return;
  }
#endif
  static_cast<void>(context);
  if (!describe_address(info->si_addr).empty()) {
    say("cuda emulation: the host touches device memory: ");
    say(describe_address(info->si_addr).c_str());
    say("\n");
  }
  sigaction(SIGSEGV, &previous_handler, nullptr);  // the access traps again and ends the process
}

}  // namespace

void install_traps() {
  thread_local const AlternateStack alternate;
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGSEGV, &action, &previous_handler) == 0;
  }();
  static_cast<void>(installed);
}

}  // namespace cdt::emulation
