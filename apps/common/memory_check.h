// Compares the memory plan of a program (dry_run.h) with what the machine, its control groups and
// the device allow, before the first step: a plan that cannot fit ends the program with the size
// that fits, one that may be short of memory now gives a warning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/dry_run.h"
#include "engine/backend.h"
#include "engine/memory_limit.h"
#include "engine/ranks/communicator.h"

namespace cdt {

/// What a plan takes beyond what the process holds, in bytes of a kind of memory.
struct MemoryDemand {
  std::uint64_t least = 0;  // for certain
  std::uint64_t most = 0;   // if all threads work at once, with what the libraries take
};

/// Of a plan on this device, some bytes of whose arenas exist already.
MemoryDemand demand_of(const MemoryPlan& plan, const Backend& device, std::size_t already,
                       MemoryKind kind);

/// memory_bounds(), each divided among the ranks under it. Every rank calls this at the same point.
std::vector<MemoryBound> bounds_among(Communicator& ranks);
/// The bounds, and that of the device's memory if it has its own.
std::vector<MemoryBound> with_device(const Backend& device, std::vector<MemoryBound> bounds);

/// What a program asks of its memory.
struct MemoryQuestion {
  std::string option;         // that the message names
  std::string subject;        // "a training step"
  std::int64_t asked = 1;     // size that decides the memory, such as a batch size
  std::int64_t multiple = 1;  // which sizes may be multiples of
  std::function<MemoryPlan(std::int64_t size)> plan;
  std::size_t already = 0;  // bytes of the plan's arenas that exist
  /// Says in a few words what to do instead. fits: the largest size that fits, 0 if none does;
  /// needed: what the least size takes at most, as text.
  std::function<std::string(std::int64_t fits, const std::string& needed)> advice;
};

/// Returns the plan of the size asked for. Throws InputError("command line", option, ...) if it
/// exceeds a bound for certain; warns if a bound has not so much free now. bounds: with those of
/// the device.
MemoryPlan plan_that_fits(const MemoryQuestion& question, const std::vector<MemoryBound>& bounds,
                          const Backend& device);

/// "9.4 GiB", "312 MiB"
std::string memory_text(std::uint64_t bytes);

}  // namespace cdt
