#include "tests/emulation/fibre.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "engine/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

// A fibre that was abandoned midway leaks what its frames owned.
// NOLINTNEXTLINE(readability-identifier-naming,bugprone-reserved-identifier): the sanitizer's name
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

// CDT_PORTABLE_FIBRES: use the portable implementation on this processor too.
#if defined(__x86_64__) && !defined(CDT_PORTABLE_FIBRES)
#define CDT_X86_SWITCH 1
#else
#define CDT_X86_SWITCH 0
#include <ucontext.h>

#include <memory>
#endif

namespace cdt::emulation {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStackBytes = std::size_t{256} << 10U;
#else
constexpr std::size_t kStackBytes = std::size_t{64} << 10U;
#endif

// A fibre that was abandoned midway leaves poisoned frames on its stack.
void unpoison([[maybe_unused]] const Stack& stack) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(stack.low, stack.bytes);
#endif
}

}  // namespace

#if CDT_X86_SWITCH

// Saves the callee-saved registers, exchanges the stacks and restores. The kernels do not change
// the control words of the floating-point units.
asm(R"(
.text
.type cdt_emulation_switch, @function
cdt_emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cdt_emulation_switch, .-cdt_emulation_switch
)");
extern "C" void cdt_emulation_switch(void** from, void* to);

void prepare(Context& fibre, const Stack& stack, void (*entry)()) {
  // As after a call of entry: its (null) return address on top, the stack 8 off a multiple of 16.
  constexpr std::size_t kSavedRegisters = 6;
  void* frame[kSavedRegisters + 2] = {};
  static_assert(sizeof(entry) == sizeof(void*));
  std::memcpy(&frame[kSavedRegisters], &entry, sizeof(entry));
  unpoison(stack);
  char* const sp = stack.low + stack.bytes - sizeof(frame);
  std::memcpy(sp, frame, sizeof(frame));
  fibre = {sp, stack.low, stack.bytes, nullptr};
}

static void exchange(Context& from, Context& to) {
  cdt_emulation_switch(&from.stack_pointer, to.stack_pointer);
}

#else  // the portable way, several times slower

void prepare(Context& fibre, const Stack& stack, void (*entry)()) {
  if (fibre.stack_pointer == nullptr)
    fibre.stack_pointer = std::make_unique<ucontext_t>().release();
  auto* const context = static_cast<ucontext_t*>(fibre.stack_pointer);
  unpoison(stack);
  getcontext(context);
  context->uc_stack.ss_sp = stack.low;
  context->uc_stack.ss_size = stack.bytes;
  makecontext(context, entry, 0);
  fibre.stack_low = stack.low;
  fibre.stack_bytes = stack.bytes;
}

static void exchange(Context& from, Context& to) {
  if (from.stack_pointer == nullptr) from.stack_pointer = std::make_unique<ucontext_t>().release();
  swapcontext(static_cast<ucontext_t*>(from.stack_pointer),
              static_cast<ucontext_t*>(to.stack_pointer));
}

#endif

Stack make_stack() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const mapping = mmap(nullptr, kStackBytes + page, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  CDT_CHECK(mapping != MAP_FAILED, "no memory for the stack of an emulated thread");
  CDT_CHECK(mprotect(mapping, page, PROT_NONE) == 0, "guard page of a stack");
  return {static_cast<char*>(mapping) + page, kStackBytes};
}

void switch_context(Context& from, Context& to, [[maybe_unused]] bool ends) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(ends ? nullptr : &from.fake_stack, to.stack_low, to.stack_bytes);
#endif
  exchange(from, to);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

void arrive([[maybe_unused]] Context& self, [[maybe_unused]] Context& came_from) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &came_from.stack_low, &came_from.stack_bytes);
#endif
}

}  // namespace cdt::emulation
