#include "apps/common/memory_check.h"

#include <algorithm>

#include "apps/common/tables.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
// Beside the plan (docs/results/memory-2026-11-30.md): libraries and the buffers of files; page
// tables, as a share; and address space of a thread's stack and heap.
constexpr std::uint64_t kBeside = 48 * kMiB;
constexpr std::uint64_t kPageTables = 512;
constexpr std::uint64_t kOfThread = 72 * kMiB;
// On a GPU: working memory of the libraries' products, and partial sums.
constexpr std::uint64_t kBesideOnDevice = 320 * kMiB;

using DemandOf = std::function<MemoryDemand(MemoryKind)>;

/// The bound that `demanded` exceeds by most what it has for this process; null if it exceeds none.
const MemoryBound* most_exceeded(const std::vector<MemoryBound>& bounds,
                                 const std::function<std::uint64_t(const MemoryBound&)>& demanded,
                                 const std::function<std::uint64_t(const MemoryBound&)>& has) {
  const MemoryBound* out = nullptr;
  std::uint64_t by = 0;
  for (const MemoryBound& bound : bounds) {
    const std::uint64_t wanted = demanded(bound), there = has(bound);
    if (wanted <= there || wanted - there <= by) continue;
    by = wanted - there;
    out = &bound;
  }
  return out;
}

/// The bound that cannot be kept; null if there is none.
const MemoryBound* exceeded(const std::vector<MemoryBound>& bounds, const DemandOf& demand) {
  return most_exceeded(
      bounds, [&](const MemoryBound& bound) { return demand(bound.kind).least; },
      [](const MemoryBound& bound) { return bound.room(); });
}

/// The bound under which memory may run short; null if there is none.
const MemoryBound* short_now(const std::vector<MemoryBound>& bounds, const DemandOf& demand) {
  return most_exceeded(
      bounds, [&](const MemoryBound& bound) { return demand(bound.kind).most; },
      [](const MemoryBound& bound) { return std::min(bound.free, bound.room()); });
}

/// Answers about one question.
class Answers {
 public:
  Answers(const MemoryQuestion& question, const std::vector<MemoryBound>& bounds,
          const Backend& device)
      : question_(question), bounds_(bounds), device_(device) {}

  DemandOf demand(const MemoryPlan& plan) const {
    return
        [this, plan](MemoryKind kind) { return demand_of(plan, device_, question_.already, kind); };
  }
  bool fits(std::int64_t size) const {
    return short_now(bounds_, demand(question_.plan(size))) == nullptr;
  }
  /// The largest multiple below the size asked for that fits; 0 if none does.
  std::int64_t largest() const {
    std::int64_t fit = 0, not_fit = question_.asked / question_.multiple;
    while (not_fit - fit > 1) {
      const std::int64_t half = fit + (not_fit - fit) / 2;
      (fits(half * question_.multiple) ? fit : not_fit) = half;
    }
    return fit * question_.multiple;
  }
  std::string advice(const MemoryBound& bound) const {
    const auto least = demand(question_.plan(question_.multiple))(bound.kind).most;
    return question_.advice(largest(), memory_text(bound.held + least));
  }

 private:
  const MemoryQuestion& question_;
  const std::vector<MemoryBound>& bounds_;
  const Backend& device_;
};

}  // namespace

std::string memory_text(std::uint64_t bytes) {
  constexpr double kGiB = 1024.0 * kMiB;
  const auto number = static_cast<double>(bytes);
  return number >= kGiB ? text("%.1f GiB", number / kGiB)
                        : text("%.0f MiB", number / static_cast<double>(kMiB));
}

MemoryDemand demand_of(const MemoryPlan& plan, const Backend& device, std::size_t already,
                       MemoryKind kind) {
  const bool on_host = device.free_bytes() == 0;
  const std::uint64_t arenas = plan.arenas() - std::min(plan.arenas(), already);
  const std::uint64_t beside = plan.work + plan.host + kBeside + arenas / kPageTables;
  const auto threads = static_cast<std::uint64_t>(device.facts().threads);
  const bool spaces = kind == MemoryKind::kAddressSpace || kind == MemoryKind::kData;
  const std::uint64_t of_threads = spaces ? threads * kOfThread : 0;
  if (kind == MemoryKind::kDevice) return {arenas, arenas + kBesideOnDevice};
  if (!on_host) return {0, beside + of_threads};
  if (!spaces) return {arenas, arenas + beside};  // buffers are filled only as far as rows are read
  const std::uint64_t reserved = plan.reserved - std::min(plan.reserved, already);
  return {arenas + plan.host, std::max(arenas, reserved) + beside + of_threads};
}

std::vector<MemoryBound> bounds_among(Communicator& ranks) {
  std::vector<MemoryBound> out = memory_bounds();
  if (ranks.size() == 1) return out;
  std::string mine = "\n";
  for (const MemoryBound& bound : out) mine += bound.shared_by + "\n";
  const std::vector<std::string> all = ranks.gather(mine);
  for (MemoryBound& bound : out) {
    if (bound.shared_by.empty()) continue;
    const std::string line = "\n" + bound.shared_by + "\n";
    const auto under = std::count_if(all.begin(), all.end(), [&](const std::string& rank) {
      return rank.find(line) != std::string::npos;
    });
    const auto sharing = static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(1, under));
    for (std::uint64_t* bytes : {&bound.allowed, &bound.free}) {
      if (*bytes != kNoBound) *bytes /= sharing;
    }
  }
  return out;
}

std::vector<MemoryBound> with_device(const Backend& device, std::vector<MemoryBound> bounds) {
  const std::uint64_t free = device.free_bytes(), held = device.used_bytes();
  if (free > 0) bounds.push_back({"the GPU", MemoryKind::kDevice, "", held, held + free, free});
  return bounds;
}

MemoryPlan plan_that_fits(const MemoryQuestion& question, const std::vector<MemoryBound>& bounds,
                          const Backend& device) {
  const Answers answers(question, bounds, device);
  MemoryPlan plan = question.plan(question.asked);
  const auto demand = answers.demand(plan);
  if (const MemoryBound* bound = exceeded(bounds, demand)) {
    throw InputError("command line", question.option,
                     question.subject + " takes at least " +
                         memory_text(bound->held + demand(bound->kind).least) + " of memory, and " +
                         bound->name + " allows " + memory_text(bound->allowed) + "; " +
                         answers.advice(*bound));
  }
  if (const MemoryBound* bound = short_now(bounds, demand)) {
    warn(question.subject + " may take " + memory_text(demand(bound->kind).most) +
         " more memory, and " + bound->name + " has " + memory_text(bound->free) + " free now; " +
         answers.advice(*bound));
  }
  return plan;
}

}  // namespace cdt
