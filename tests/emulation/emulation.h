// The CUDA runtime on the host: the sources of engine/cuda/ compiled as C++ against the headers in
// include/. Kernels run thread by thread; nothing here needs a GPU or a toolkit. This header is
// what tests use to steer it and to see what it found; the environment steers whole programs:
//
//   CDT_EMULATED_DEVICES=N     number of devices, default 1
//   CDT_EMULATED_CAPABILITY=N  major compute capability, default 9
//   CDT_EMULATED_MULTIPROCESSORS=N  of each device, default 4
//   CDT_EMULATED_MEMORY=BYTES  memory of each, default 8 GiB
//   CDT_EMULATED_NO_ALGORITHM=tf32|all  products for which cuBLASLt has no algorithm
//   CDT_EMULATED_CUDNN=missing|old|no-engine|unordered|failing|wrong|wrong-sums  no help by cuDNN
//   CDT_EMULATION_CHECK=1      checking mode
//   CDT_EMULATION_LAZY=1       streams run when something waits for them, and not before
#pragma once

#include <cstdint>
#include <string>

namespace cdt::emulation {

/// Every launch runs under all orders of threads and blocks from the same memory, and must leave
/// the same bits; device memory is out of the host's reach between launches; bytes around
/// allocations and uninitialised shared memory are watched.
void set_checking(bool on);
bool checking();

/// Work of a stream waits until the host synchronises or another stream waits for it. Shows work
/// that nothing orders: it then sees memory from before.
void set_lazy(bool on);

/// The first thing found wrong since the last call, "" if nothing. Clears the device's error too,
/// which otherwise stays, as on a GPU. Findings are printed on stderr when they are made.
std::string take_finding();

/// Launches since the program began (a replayed graph counts its own, checking counts one).
std::uint64_t launch_count();

}  // namespace cdt::emulation
