// How much memory this process may have: what the machine has, what its control groups allow
// (engine/control_groups.h), and its resource limits. All numbers are bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace cdt {

inline constexpr std::uint64_t kNoBound = std::numeric_limits<std::uint64_t>::max();

/// What a bound counts: memory that cannot be dropped (anonymous pages), all address space, private
/// writable memory whether touched or not, or memory of a device.
enum class MemoryKind : std::uint8_t { kResident, kAddressSpace, kData, kDevice };

/// One bound on the memory of this process.
struct MemoryBound {
  std::string name;  // as the subject of "NAME allows": "this machine", "ulimit -v"
  MemoryKind kind = MemoryKind::kResident;
  std::string shared_by;             // equal in all processes under the bound; "": only this one
  std::uint64_t held = 0;            // what the bound counts of this process now
  std::uint64_t allowed = kNoBound;  // for all that the bound counts, with swap; never exceeded
  std::uint64_t free = kNoBound;     // what can be had now beyond `held`, without swapping

  /// Bytes this process might get beyond `held` if no other used any.
  std::uint64_t room() const { return allowed > held ? allowed - held : 0; }
};

/// Soft limits of the process.
struct ProcessLimits {
  std::uint64_t address_space = kNoBound;  // RLIMIT_AS, ulimit -v
  std::uint64_t data = kNoBound;           // RLIMIT_DATA, ulimit -d
};
ProcessLimits process_limits();

/// Returns every bound that can be read: what is missing, unreadable or no number bounds nothing.
/// root: where the system's files are, "/" except in tests.
std::vector<MemoryBound> memory_bounds(const std::filesystem::path& root = "/",
                                       const ProcessLimits& limits = process_limits());

/// The bound on resident memory that allows least; a nameless one without bound if there is none.
MemoryBound least_allowed(const std::vector<MemoryBound>& bounds);
/// The least that any bound has free; 0 if there is none.
std::uint64_t least_free(const std::vector<MemoryBound>& bounds);

}  // namespace cdt
