// Fibres: cooperative threads, each with its own stack.
#pragma once

#include <cstddef>

namespace cdt::emulation {

/// Where a fibre, or the thread that started it, continues.
struct Context {
  void* stack_pointer = nullptr;
  const void* stack_low = nullptr;  // for AddressSanitizer
  std::size_t stack_bytes = 0;
  void* fake_stack = nullptr;
};

/// A stack with a guard page below it. Not copied, lives until the program ends.
struct Stack {
  char* low = nullptr;
  std::size_t bytes = 0;
};
Stack make_stack();

/// Prepares `fibre` to run `entry`, which must not return, from the top of `stack`.
void prepare(Context& fibre, const Stack& stack, void (*entry)());

/// Saves the current position in `from` and continues in `to`. `ends`: `from` is never resumed.
void switch_context(Context& from, Context& to, bool ends = false);

/// Must be the first call of a fibre's entry: tells AddressSanitizer that the switch is complete.
void arrive(Context& self, Context& came_from);

}  // namespace cdt::emulation
