#include "engine/memory_limit.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

#include "engine/control_groups.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

std::uint64_t plus(std::uint64_t a, std::uint64_t b) { return a > kNoBound - b ? kNoBound : a + b; }
std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

/// Fields of files in /proc that are in KiB.
class KibFields {
 public:
  explicit KibFields(fs::path file) : file_(std::move(file)) {}
  std::optional<std::uint64_t> bytes(std::string_view key) const {
    const std::optional<std::uint64_t> kib = number_after(file_, key);
    if (!kib || *kib > kNoBound / 1024) return std::nullopt;
    return *kib * 1024;
  }
  std::uint64_t bytes_or(std::string_view key, std::uint64_t other) const {
    return bytes(key).value_or(other);
  }

 private:
  fs::path file_;
};

/// Names this start of this machine, for processes that compare what they share.
std::string machine_name(const fs::path& root) {
  std::string out;
  std::ifstream(below(root, "/proc/sys/kernel/random/boot_id")) >> out;
  return out;
}

/// Names a group, also where namespaces give two groups the same path.
std::string group_name(const fs::path& root, const ControlGroup& group) {
  struct stat found = {};
  if (stat(below(root, group.folder).c_str(), &found) != 0) return group.folder.string();
  return std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
}

/// The bounds of a group. swap: of the machine.
void add_bounds(const fs::path& root, const ControlGroup& group, std::uint64_t swap,
                const MemoryBound& process, std::vector<MemoryBound>* out) {
  const GroupMemory memory = read_group(root, group);
  const std::uint64_t used = minus(memory.used.value_or(process.held), memory.droppable);
  const auto add = [&](const char* file, std::uint64_t allowed, std::uint64_t without_swap) {
    MemoryBound bound = process;
    bound.name = "cgroup " + (group.folder / file).string();
    bound.shared_by += " " + group_name(root, group);
    bound.allowed = allowed;
    bound.free = minus(without_swap, used);
    out->push_back(bound);
  };
  if (memory.limit) {
    // What is swapped out does not count against the limit.
    const std::uint64_t beyond = std::min(swap, memory.swap.value_or(swap));
    add(group.unified ? "memory.max" : "memory.limit_in_bytes", plus(*memory.limit, beyond),
        *memory.limit);
  }
  if (memory.with_swap) {
    add("memory.memsw.limit_in_bytes", *memory.with_swap, *memory.with_swap);
  }
  if (memory.high) add("memory.high", kNoBound, *memory.high);
}

}  // namespace

ProcessLimits process_limits() {
  const auto soft = [](auto which) {
    struct rlimit limit = {};
    if (getrlimit(which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoBound;
    return static_cast<std::uint64_t>(limit.rlim_cur);
  };
  return {soft(RLIMIT_AS), soft(RLIMIT_DATA)};
}

std::vector<MemoryBound> memory_bounds(const fs::path& root, const ProcessLimits& limits) {
  const KibFields machine(below(root, "/proc/meminfo")), self(below(root, "/proc/self/status"));
  const std::uint64_t swap = machine.bytes_or("SwapTotal:", 0);
  MemoryBound here{"this machine", MemoryKind::kResident, machine_name(root),
                   self.bytes_or("RssAnon:", 0)};
  std::vector<MemoryBound> out;
  for (const ControlGroup& group : memory_groups(root)) add_bounds(root, group, swap, here, &out);
  if (const auto total = machine.bytes("MemTotal:")) {
    // Huge pages that are set aside serve only programs that ask for them.
    here.allowed = plus(minus(*total, machine.bytes_or("Hugetlb:", 0)), swap);
    here.free = machine.bytes_or("MemAvailable:", kNoBound);
    out.push_back(here);
  }
  const auto add = [&](const char* name, MemoryKind kind, std::uint64_t limit,
                       std::string_view held) {
    if (limit == kNoBound) return;
    MemoryBound bound{name, kind, "", self.bytes_or(held, 0), limit, 0};
    bound.free = bound.room();
    out.push_back(bound);
  };
  add("ulimit -v", MemoryKind::kAddressSpace, limits.address_space, "VmSize:");
  add("ulimit -d", MemoryKind::kData, limits.data, "VmData:");
  return out;
}

MemoryBound least_allowed(const std::vector<MemoryBound>& bounds) {
  MemoryBound out;
  for (const MemoryBound& bound : bounds) {
    if (bound.kind == MemoryKind::kResident && bound.allowed < out.allowed) out = bound;
  }
  return out;
}

std::uint64_t least_free(const std::vector<MemoryBound>& bounds) {
  if (bounds.empty()) return 0;
  return std::min_element(bounds.begin(), bounds.end(),
                          [](const auto& a, const auto& b) { return a.free < b.free; })
      ->free;
}

}  // namespace cdt
