// Warp operations: the lanes named in a mask meet, exchange values and continue.
#pragma once

#include <string>
#include <vector>

#include "tests/emulation/fibre.h"
#include "tests/emulation/include/cuda_runtime.h"

namespace cdt::emulation {

struct Fibre {
  Context context;
  Stack stack;
};

enum class State : unsigned char { kNew, kReady, kAtBarrier, kAtWarpOp, kEnded, kGivenUp };

struct WarpCall {
  WarpOp op = WarpOp::kSync;
  unsigned mask = 0;
  std::uint64_t value = 0;
  int argument = 0, width = 32;
};

/// A thread of the running block.
struct Thread {
  Fibre* fibre = nullptr;
  State state = State::kNew;
  uint3 index{};
  unsigned linear = 0;  // within the block; its warp is linear / 32
  Site site{};          // where it waits
  WarpCall call;
  std::uint64_t result = 0;
};

/// If `self`, at a warp operation, was the last lane of its mask to arrive: distributes the results
/// and makes all lanes ready. Returns "", or what is wrong with the call.
std::string try_to_meet(std::vector<Thread>& threads, Thread& self);

/// The lane that `waiting`, at a warp operation, waits for and that never arrives; "" if none.
std::string explain_missing_lane(const std::vector<Thread>& threads, const Thread& waiting);

bool same_place(Site a, Site b);
/// "__syncthreads (FILE:LINE)", "has ended", ...
std::string whereabouts(const Thread& thread);

}  // namespace cdt::emulation
