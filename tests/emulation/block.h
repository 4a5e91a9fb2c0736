// The threads of one block, as fibres of one operating-system thread. A thread runs until it ends
// or waits at a barrier or a warp operation; then the next runnable one continues.
#pragma once

#include <functional>
#include <string>

#include "tests/emulation/include/cuda_runtime.h"

namespace cdt::emulation {

/// What went wrong in a kernel, and the error a GPU would report for it. Empty text: nothing.
struct Finding {
  std::string text;
  cudaError_t error = cudaErrorLaunchFailure;
};

/// Which thread continues first. A correct kernel gives the same bits under every order. Ascending
/// and descending let a warp run as far as it can before the next one; shuffled mixes all threads
/// of the block at every step.
enum class Order { kAscending, kDescending, kShuffled };
const char* name_of(Order order);

/// Runs `body` for every thread of the block at `blockIdx`; blockDim and gridDim are set. `shuffle`
/// seeds the shuffled order. Possible faults: a divergent barrier, a lane that does not arrive, an
/// access that trapped. Threads that have not ended are then abandoned.
Finding run_block(const std::function<void()>& body, Order order, unsigned shuffle);

/// True while a thread of a block is running (and not the host).
bool in_kernel();
/// The running thread reports `what` and never continues. Only while in_kernel().
[[noreturn]] void give_up(std::string what, cudaError_t error = cudaErrorLaunchFailure);
/// "thread (3, 0, 0) of block (1, 0, 0)" for the running thread.
std::string running_thread();

}  // namespace cdt::emulation
