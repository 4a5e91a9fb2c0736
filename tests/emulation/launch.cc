#include "tests/emulation/launch.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include "tests/emulation/block.h"
#include "tests/emulation/device.h"
#include "tests/emulation/emulation.h"
#include "tests/emulation/journal.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/program.h"
#include "tests/emulation/shared_memory.h"
#include "tests/emulation/snapshot.h"
#include "tests/emulation/trap.h"

namespace cdt::emulation {
namespace {

constexpr std::size_t kDefaultDynamicShared = std::size_t{48} << 10U;
constexpr std::size_t kMaxParameterBytes = 4096;
constexpr unsigned kMaxThreads = 1024;
constexpr unsigned kMaxGridYz = 65535;

std::map<const void*, std::size_t>& dynamic_shared_limits() {
  static std::map<const void*, std::size_t> limits;
  return limits;
}

std::atomic<std::uint64_t> launches{0};

/// The content of uninitialised shared memory under each order: a kernel that reads it gives other
/// bits.
constexpr unsigned short kLeftOver[] = {kFreshWord, 0x4049, 0};

std::vector<std::uint64_t> block_sequence(std::uint64_t count, Order order) {
  std::vector<std::uint64_t> blocks(count);
  std::iota(blocks.begin(), blocks.end(), 0U);
  if (order == Order::kDescending) std::reverse(blocks.begin(), blocks.end());
  if (order == Order::kShuffled) std::shuffle(blocks.begin(), blocks.end(), std::minstd_rand(7));
  return blocks;
}

Finding run_grid(const Launch& l, Order order) {
  gridDim = l.grid;
  blockDim = l.block;
  size_dynamic_shared(l.dynamic_shared_bytes);
  const unsigned short left_over = kLeftOver[static_cast<int>(order)];
  fill_shared(left_over);
  for (const std::uint64_t b :
       block_sequence(std::uint64_t{l.grid.x} * l.grid.y * l.grid.z, order)) {
    blockIdx = {static_cast<unsigned>(b % l.grid.x), static_cast<unsigned>(b / l.grid.x % l.grid.y),
                static_cast<unsigned>(b / l.grid.x / l.grid.y)};
    if (checking()) fill_shared(left_over);
    Finding finding = run_block(l.body, order, static_cast<unsigned>(b) + 1);
    if (!finding.text.empty()) return finding;
  }
  return {};
}

Finding run_under_all_orders(const Launch& l) {
  start_tracking();
  Finding finding = run_grid(l, Order::kAscending);
  take_result();
  for (const Order order : {Order::kDescending, Order::kShuffled}) {
    if (!finding.text.empty()) return finding;
    restore();
    finding = run_grid(l, order);
    const std::string difference = finding.text.empty() ? compare_with_result() : "";
    if (!difference.empty()) {
      finding.text =
          std::string("results differ between ascending and ") + name_of(order) +
          " order of threads: " + difference +
          "; a barrier is missing, two threads write one place, or shared memory is read "
          "before it is written";
    }
  }
  return finding;
}

cudaError_t refuse(const void* kernel, cudaError_t error, const std::string& why) {
  return report(error, function_name(kernel) + ": " + why);
}

std::string describe(dim3 d) {
  return std::to_string(d.x) + " x " + std::to_string(d.y) + " x " + std::to_string(d.z);
}

cudaError_t check_configuration(const cudaLaunchConfig_t& c, const void* kernel,
                                std::size_t parameters) {
  const dim3 b = c.blockDim;
  const dim3 g = c.gridDim;
  const std::uint64_t threads = std::uint64_t{b.x} * b.y * b.z;
  if (threads == 0 || threads > kMaxThreads || b.z > 64) {
    return refuse(kernel, cudaErrorInvalidConfiguration, "a block of " + describe(b) + " threads");
  }
  if (g.x == 0 || g.y == 0 || g.z == 0 || g.x > 0x7fffffffU || g.y > kMaxGridYz ||
      g.z > kMaxGridYz) {
    return refuse(kernel, cudaErrorInvalidConfiguration, "a grid of " + describe(g) + " blocks");
  }
  const auto limit = dynamic_shared_limits().find(kernel);
  const std::size_t allowed =
      limit == dynamic_shared_limits().end() ? kDefaultDynamicShared : limit->second;
  if (c.dynamicSmemBytes > allowed) {
    return refuse(kernel, cudaErrorInvalidValue,
                  std::to_string(c.dynamicSmemBytes) +
                      " bytes of dynamic shared memory, allowed are " + std::to_string(allowed));
  }
  if (parameters > kMaxParameterBytes) {
    return refuse(kernel, cudaErrorInvalidValue,
                  std::to_string(parameters) + " bytes of parameters");
  }
  if (c.numAttrs != 0) return refuse(kernel, cudaErrorNotSupported, "launch attributes");
  return cudaSuccess;
}

}  // namespace

void allow_dynamic_shared(const void* kernel, std::size_t bytes) {
  dynamic_shared_limits()[kernel] = bytes;
}

cudaError_t run(const Launch& l) {
  if (sticky_error() != cudaSuccess) return sticky_error();
  install_traps();
  ++launches;
  Finding finding;
  {
    const Opened opened;
    finding = checking() ? run_under_all_orders(l) : run_grid(l, Order::kAscending);
    if (checking()) set_access(Access::kOpen);
  }
  if (finding.text.empty() && checking()) finding.text = find_overrun();
  if (finding.text.empty()) return cudaSuccess;
  return report(finding.error, function_name(l.kernel) + ": " + finding.text, true);
}

std::uint64_t launch_count() { return launches; }

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel,
                   std::size_t parameter_bytes, std::function<void()> body) {
  const auto lock = lock_runtime();
  const cudaError_t wrong = check_configuration(config, kernel, parameter_bytes);
  if (wrong != cudaSuccess) return set_last_error(wrong);
  Launch l{config.gridDim, config.blockDim, config.dynamicSmemBytes, kernel, std::move(body)};
  return issue(
      config.stream, [l = std::move(l)] { run(l); },
      [&] {
        return describe_kernel(kernel, config.gridDim, config.blockDim, config.dynamicSmemBytes);
      });
}

bool reachable_from_device(const void* pointer) {
  const auto lock = lock_runtime();
  return pointer == nullptr || holds(pointer, 0);
}

cudaError_t refuse_parameter(const void* kernel, int parameter, const void* pointer) {
  const auto lock = lock_runtime();
  const std::string where = describe_address(pointer);
  return set_last_error(refuse(kernel, cudaErrorInvalidValue,
                               "parameter " + std::to_string(parameter) + " points to " +
                                   (where.empty() ? "memory of the host" : where)));
}

}  // namespace cdt::emulation
