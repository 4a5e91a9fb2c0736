#include "tests/emulation/warp.h"

#include <cstring>
#include <sstream>

namespace cdt::emulation {
namespace {

constexpr const char* kOpNames[] = {
    "__syncwarp",    "__shfl_sync", "__shfl_up_sync", "__shfl_down_sync", "__shfl_xor_sync",
    "__ballot_sync", "__any_sync",  "__all_sync",     "mma.sync",         "ldmatrix.sync"};

bool is_shuffle(WarpOp op) {
  return op == WarpOp::kShuffle || op == WarpOp::kShuffleUp || op == WarpOp::kShuffleDown ||
         op == WarpOp::kShuffleXor;
}

/// Same operation, same mask. Calls on different lines meet too, as they do on a GPU.
bool meets(const Thread& other, const Thread& self) {
  return other.state == State::kAtWarpOp && other.call.op == self.call.op &&
         other.call.mask == self.call.mask && other.call.width == self.call.width;
}

/// The lane whose value `lane` gets; its own if the selected one is outside its segment.
int source_lane(const WarpCall& call, int lane) {
  const int first = lane & ~(call.width - 1);
  int source = lane;
  switch (call.op) {
    case WarpOp::kShuffle:
      return first + (call.argument & (call.width - 1));
    case WarpOp::kShuffleUp:
      source = lane - call.argument;
      return source < first ? lane : source;
    case WarpOp::kShuffleDown:
      source = lane + call.argument;
      break;
    case WarpOp::kShuffleXor:
      source = lane ^ call.argument;
      break;
    default:
      return lane;
  }
  return source >= first + call.width ? lane : source;
}

std::string call_text(const Thread& t) {
  std::ostringstream text;
  text << kOpNames[static_cast<int>(t.call.op)] << " (" << t.site.file << ":" << t.site.line << ")";
  return text.str();
}

std::string check_call(const Thread& self) {
  const WarpCall& call = self.call;
  const unsigned lane = self.linear % 32;
  if ((call.mask >> lane & 1U) == 0) return call_text(self) + ": the caller is not in its own mask";
  if (call.width < 1 || call.width > 32 || (call.width & (call.width - 1)) != 0) {
    return call_text(self) + ": width " + std::to_string(call.width) +
           " is no power of two up to 32";
  }
  return "";
}

}  // namespace

bool same_place(Site a, Site b) { return a.line == b.line && std::strcmp(a.file, b.file) == 0; }

std::string whereabouts(const Thread& thread) {
  switch (thread.state) {
    case State::kEnded:
      return "has ended";
    case State::kAtWarpOp:
      return "waits at " + call_text(thread);
    case State::kAtBarrier:
      return std::string("waits at __syncthreads (") + thread.site.file + ":" +
             std::to_string(thread.site.line) + ")";
    default:
      return "is elsewhere";
  }
}

std::string try_to_meet(std::vector<Thread>& threads, Thread& self) {
  std::string wrong = check_call(self);
  if (!wrong.empty()) return wrong;
  const unsigned warp = self.linear / 32 * 32;
  const auto in_mask = [&](unsigned lane) { return (self.call.mask >> lane & 1U) != 0; };
  unsigned votes = 0;
  // From the next lane on, round to self: in ascending order the next one is the first missing.
  for (unsigned i = 1; i <= 32; ++i) {
    const unsigned lane = (self.linear + i) % 32;
    if (!in_mask(lane)) continue;
    if (warp + lane >= threads.size() || !meets(threads[warp + lane], self)) return "";
    votes |= static_cast<unsigned>(threads[warp + lane].call.value != 0) << lane;
  }
  for (unsigned lane = 0; lane < 32; ++lane) {
    if (!in_mask(lane)) continue;
    Thread& thread = threads[warp + lane];
    const int source = source_lane(thread.call, static_cast<int>(lane));
    if (is_shuffle(self.call.op) && !in_mask(static_cast<unsigned>(source))) {
      return call_text(thread) + ": lane " + std::to_string(lane) + " reads from lane " +
             std::to_string(source) + ", which is not in the mask";
    }
    switch (self.call.op) {
      case WarpOp::kBallot:
        thread.result = votes;
        break;
      case WarpOp::kAny:
        thread.result = static_cast<std::uint64_t>(votes != 0);
        break;
      case WarpOp::kAll:
        thread.result = static_cast<std::uint64_t>(votes == self.call.mask);
        break;
      default:
        thread.result = threads[warp + static_cast<unsigned>(source)].call.value;
    }
  }
  for (unsigned lane = 0; lane < 32; ++lane) {
    if (in_mask(lane)) threads[warp + lane].state = State::kReady;
  }
  return "";
}

std::string explain_missing_lane(const std::vector<Thread>& threads, const Thread& waiting) {
  const unsigned warp = waiting.linear / 32 * 32;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((waiting.call.mask >> lane & 1U) == 0) continue;
    std::string why;
    if (warp + lane >= threads.size()) {
      why = "is not part of the block";
    } else if (!meets(threads[warp + lane], waiting)) {
      why = whereabouts(threads[warp + lane]);
    }
    if (!why.empty()) {
      return call_text(waiting) + ": lane " + std::to_string(lane) + " of warp " +
             std::to_string(warp / 32) + " is in the mask and does not arrive: it " + why;
    }
  }
  return "";
}

}  // namespace cdt::emulation
