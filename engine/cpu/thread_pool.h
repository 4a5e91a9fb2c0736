// The threads that share the work of CPU kernels. They are started when they are first asked for,
// and live as long as the process.
#pragma once

#include <functional>

namespace cdt {

/// Threads a program takes unless it is told a number: OMP_NUM_THREADS, else the cores this process
/// may run on.
int default_threads();

/// body(thread) on the caller's thread, thread = 0, and on up to `threads` - 1 others, each with a
/// number of its own below `threads`. Returns when every body that began has ended. How many begin
/// is left open: one that has not begun when the caller's ends does not begin at all; within a
/// body, beside another call, and where the system starts no more threads, they are fewer. So a
/// body must take its work from a list until this is empty. body must not throw.
void run_on_threads(int threads, const std::function<void(int)>& body);

}  // namespace cdt
