// The CUDA runtime on the host: the sources of engine/cuda/ compiled as C++ against the headers in
// include/. Kernels run thread by thread; nothing here needs a GPU or a toolkit. Tests use this
// header to control the emulation and to see what it found; environment variables control whole
// programs:
//
//   CDT_EMULATED_DEVICES=N     number of devices, default 1
//   CDT_EMULATED_CAPABILITY=N  major compute capability, default 9
//   CDT_EMULATED_MULTIPROCESSORS=N  of each device, default 4
//   CDT_EMULATED_MEMORY=BYTES  memory of each, default 8 GiB
//   CDT_EMULATED_NO_ALGORITHM=tf32|all  products for which cuBLASLt has no algorithm
//   CDT_EMULATED_CUDNN=missing|old|no-engine|unordered|failing|wrong|wrong-sums  unusable cuDNN
//   CDT_EMULATION_CHECK=1      checking mode
//   CDT_EMULATION_LAZY=1       streams run only when something waits for them
#pragma once

#include <cstdint>
#include <string>

namespace cdt::emulation {

/// Every launch runs under all orders of threads and blocks from the same memory, and must leave
/// the same bits; the host cannot access device memory between launches; bytes around allocations
/// and uninitialised shared memory are watched.
void set_checking(bool on);
bool checking();

/// Work of a stream is delayed until the host synchronises or another stream waits for it. This
/// exposes missing synchronisation: the reader then sees old memory.
void set_lazy(bool on);

/// The first finding since the last call, "" if none. Also clears the device's error, which
/// otherwise stays, as on a GPU. Findings are printed on stderr when they are made.
std::string take_finding();

/// Launches since the program began (a replayed graph counts its own; a checked launch counts
/// once).
std::uint64_t launch_count();

}  // namespace cdt::emulation
