#include "tests/emulation/block.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <sstream>
#include <vector>

#include "tests/emulation/async_copy.h"
#include "tests/emulation/fibre.h"
#include "tests/emulation/tensor_core.h"
#include "tests/emulation/warp.h"

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace cdt::emulation {
namespace {

struct Block {
  std::vector<Thread> threads;
  std::vector<Fibre*> idle;
  const std::function<void()>* body = nullptr;
  Context scheduler;
  Thread* running = nullptr;
  Finding finding;
  int ended = 0, at_barrier = 0, predicates = 0;
};
Block block;

uint3 thread_index(unsigned linear) {
  return {linear % blockDim.x, linear / blockDim.x % blockDim.y, linear / blockDim.x / blockDim.y};
}

std::string describe(uint3 v) {
  std::ostringstream text;
  text << "(" << v.x << ", " << v.y << ", " << v.z << ")";
  return text.str();
}

void leave(bool ends) { switch_context(block.running->fibre->context, block.scheduler, ends); }

void thread_entry() {
  arrive(block.running->fibre->context, block.scheduler);
  (*block.body)();
  block.running->state = State::kEnded;
  ++block.ended;
  leave(true);
}

void resume(Thread& thread) {
  if (thread.state == State::kNew) {
    if (block.idle.empty()) block.idle.push_back(new Fibre{{}, make_stack()});  // never freed
    thread.fibre = block.idle.back();
    block.idle.pop_back();
    prepare(thread.fibre->context, thread.fibre->stack, thread_entry);
  }
  thread.state = State::kReady;
  block.running = &thread;
  threadIdx = thread.index;
  switch_context(block.scheduler, thread.fibre->context);
  block.running = nullptr;
  if (thread.state == State::kEnded) {
    block.idle.push_back(thread.fibre);
    thread.fibre = nullptr;
  }
}

bool can_run(const Thread& thread) {
  return thread.state == State::kNew || thread.state == State::kReady;
}

/// One pass over `threads` of the block in order. True if any of them ran.
bool pass(const std::vector<unsigned>& order) {
  bool any = false;
  for (const unsigned i : order) {
    if (!can_run(block.threads[i])) continue;
    resume(block.threads[i]);
    any = true;
    if (!block.finding.text.empty()) return false;
  }
  return any;
}

std::vector<unsigned> warp_lanes(unsigned warp, unsigned count, bool descending) {
  std::vector<unsigned> lanes(std::min(32U, count - 32 * warp));
  std::iota(lanes.begin(), lanes.end(), 32 * warp);
  if (descending) std::reverse(lanes.begin(), lanes.end());
  return lanes;
}

void run_warps(unsigned count, bool descending) {
  const unsigned warps = (count + 31) / 32;
  for (bool any = true; any;) {
    any = false;
    for (unsigned w = 0; w < warps; ++w) {
      const auto lanes = warp_lanes(descending ? warps - 1 - w : w, count, descending);
      while (pass(lanes)) any = true;
      if (!block.finding.text.empty()) return;
    }
  }
}

void run_shuffled(unsigned count, unsigned seed) {
  std::vector<unsigned> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::minstd_rand random(seed);
  do {
    std::shuffle(order.begin(), order.end(), random);
  } while (pass(order));
}

/// No thread can continue and not all have ended: reports who waits for whom.
std::string explain_standstill() {
  for (Thread& thread : block.threads) {
    if (thread.state != State::kAtWarpOp) continue;
    std::string missing = explain_missing_lane(block.threads, thread);
    if (!missing.empty()) return missing;
  }
  const auto at_barrier = [](const Thread& t) { return t.state == State::kAtBarrier; };
  const Thread& first = *std::find_if(block.threads.begin(), block.threads.end(), at_barrier);
  for (const Thread& other : block.threads) {
    if (at_barrier(other)) continue;
    return "divergent barrier: thread " + describe(first.index) + " " + whereabouts(first) +
           ", thread " + describe(other.index) + " " + whereabouts(other);
  }
  return "the block stands still";
}

}  // namespace

const char* name_of(Order order) {
  static constexpr const char* kNames[] = {"ascending", "descending", "shuffled"};
  return kNames[static_cast<int>(order)];
}

Finding run_block(const std::function<void()>& body, Order order, unsigned shuffle) {
  const unsigned count = blockDim.x * blockDim.y * blockDim.z;
  block.body = &body;
  block.finding = {};
  block.ended = block.at_barrier = block.predicates = 0;
  for (Thread& t : block.threads) {
    if (t.fibre != nullptr) block.idle.push_back(t.fibre);
  }
  block.threads.assign(count, {});
  for (unsigned i = 0; i < count; ++i) {
    block.threads[i].index = thread_index(i);
    block.threads[i].linear = i;
  }
  begin_copies(count, order == Order::kAscending);
  begin_products();
  if (order == Order::kShuffled) {
    run_shuffled(count, shuffle);
  } else {
    run_warps(count, order == Order::kDescending);
  }
  if (block.finding.text.empty() && block.ended != static_cast<int>(count)) {
    block.finding.text = explain_standstill() + ", block " + describe(blockIdx);
  }
  return block.finding;
}

bool in_kernel() { return block.running != nullptr; }

void give_up(std::string what, cudaError_t error) {
  block.finding = {std::move(what), error};
  block.running->state = State::kGivenUp;
  leave(true);
  __builtin_unreachable();
}

std::string running_thread() {
  return "thread " + describe(block.running->index) + " of block " + describe(blockIdx);
}

int block_barrier(bool value, Site site) {
  Thread& self = *block.running;
  self.site = site;
  self.state = State::kAtBarrier;
  block.predicates += static_cast<int>(value);
  const auto count = static_cast<int>(block.threads.size());
  if (++block.at_barrier == count) {
    for (Thread& t : block.threads) {
      if (!same_place(t.site, site)) {
        give_up("divergent barrier: thread " + describe(t.index) + " " + whereabouts(t) +
                ", thread " + describe(self.index) + " " + whereabouts(self) + ", block " +
                describe(blockIdx));
      }
    }
    for (Thread& t : block.threads) {
      t.state = State::kReady;
      t.result = static_cast<std::uint64_t>(block.predicates);
    }
    block.at_barrier = block.predicates = 0;
  }
  leave(false);
  return static_cast<int>(self.result);
}

std::uint64_t warp_exchange(WarpOp op, unsigned mask, std::uint64_t value, int argument, int width,
                            Site site) {
  Thread& self = *block.running;
  self.site = site;
  self.call = {op, mask, value, argument, width};
  self.state = State::kAtWarpOp;
  std::string wrong = try_to_meet(block.threads, self);
  if (!wrong.empty()) give_up(std::move(wrong) + " (" + running_thread() + ")");
  leave(false);
  return self.result;
}

}  // namespace cdt::emulation
