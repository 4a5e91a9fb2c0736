// Fibres: threads of execution that give way to one another by hand, each on a stack of its own.
#pragma once

#include <cstddef>

namespace cdt::emulation {

/// Where a fibre, or the thread that started it, goes on.
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

/// Prepares `fibre` to run `entry`, which must not return, on `stack` from its top.
void prepare(Context& fibre, const Stack& stack, void (*entry)());

/// Keeps the present place in `from` and goes on in `to`. `ends`: nobody returns to `from`.
void switch_context(Context& from, Context& to, bool ends = false);

/// The first call of a fibre's entry: tells AddressSanitizer that the switch is complete.
void arrive(Context& self, Context& came_from);

}  // namespace cdt::emulation
