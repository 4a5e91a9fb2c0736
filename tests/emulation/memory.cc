#include "tests/emulation/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "engine/error.h"
#include "tests/emulation/device.h"
#include "tests/emulation/snapshot.h"

namespace cdt::emulation {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kChunk = 4 * kPage;
constexpr std::size_t kGuard = std::size_t{1} << 20U;
constexpr std::size_t kPatternBytes = std::size_t{16} << 20U;
constexpr std::size_t kDefaultTotal = std::size_t{8} << 30U;

struct Allocation {
  char* base;
  std::size_t bytes;
  char* low;  // first page, with a guard before it and after the last
  std::size_t pages_bytes;
  MemoryKind kind;
  int number;
  bool live;
  std::map<char*, std::size_t> pieces;  // memory: all pages, or those that were mapped
  bool reserved_only = false;           // created by reserve_addresses()
  int device = 0;
};

struct State {
  std::map<char*, Allocation> allocations;  // by the start of the lower guard
  std::size_t used = 0;
  int count = 0;
  Placement placement = Placement::kEnd;
  std::size_t alignment = 256;
  Access access = Access::kOpen;
  bool closing = false;
};
State state;

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

/// A file of fresh words; its private mappings are the contents of fresh memory, and cost nothing
/// until they are written.
int pattern_file() {
  static const int file = [] {
    const int fd = memfd_create("cdt-emulated-memory", MFD_CLOEXEC);
    CDT_CHECK(fd >= 0, "memfd_create");
    const std::vector<std::uint16_t> words(kPatternBytes / sizeof(kFreshWord), kFreshWord);
    CDT_CHECK(write(fd, words.data(), kPatternBytes) == static_cast<ssize_t>(kPatternBytes),
              "memory for the pattern of fresh memory");
    return fd;
  }();
  return file;
}

bool map_fresh(char* low, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += kPatternBytes) {
    const void* const part =
        mmap(low + at, std::min(kPatternBytes, bytes - at), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, pattern_file(), 0);
    if (part == MAP_FAILED) return false;
  }
  return true;
}

std::size_t total_bytes() {
  const char* const text = std::getenv("CDT_EMULATED_MEMORY");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : kDefaultTotal;
}

/// The allocation whose mapping, guards included, contains `pointer`.
Allocation* find(const void* pointer) {
  char* const p = static_cast<char*>(const_cast<void*>(pointer));
  auto it = state.allocations.upper_bound(p);
  if (it == state.allocations.begin()) return nullptr;
  Allocation& a = (--it)->second;
  return p < a.low + a.pages_bytes + kGuard ? &a : nullptr;
}

bool inside(const Allocation& a, const void* pointer, std::size_t bytes) {
  const auto* const p = static_cast<const char*>(pointer);
  if (!a.live || p < a.base || p + bytes > a.base + a.bytes) return false;
  if (!a.reserved_only) return true;
  const char* covered = p;  // pieces are contiguous
  for (const auto& [at, size] : a.pieces) {
    if (at <= covered && covered <= at + size) covered = at + size;
  }
  return !a.pieces.empty() && covered >= p + bytes;
}

bool is_fresh(const char* begin, const char* end) {
  for (const char* p = begin; p < end; ++p) {
    const auto at = reinterpret_cast<std::uintptr_t>(p);
    const auto byte = static_cast<char>(kFreshWord >> (8U * (at % 2)));
    if (*p != byte) return false;
  }
  return true;
}

std::string overrun_of(const Allocation& a) {
  if (a.reserved_only) return "";  // whole pages only
  const char* const end = a.low + a.pages_bytes;
  const bool below = !is_fresh(a.low, a.base);
  if (!below && is_fresh(a.base + a.bytes, end)) return "";
  return std::string("bytes just ") + (below ? "before" : "behind") + " allocation " +
         std::to_string(a.number) + " (" + std::to_string(a.bytes) + " bytes) were written";
}

void protect(const Allocation& a, int protection) {
  for (const auto& [at, bytes] : a.pieces) {
    CDT_CHECK(mprotect(at, bytes, protection) == 0, "protection of emulated memory");
  }
}

/// Unmaps whatever is in the address range [low, low + bytes), and keeps the range reserved.
void seal(char* low, std::size_t bytes) {
  (void)mmap(low, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
}

/// A new address range between guards: its first byte, or null.
char* new_range(std::size_t bytes) {
  void* const mapping = mmap(nullptr, bytes + 2 * kGuard, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return mapping == MAP_FAILED ? nullptr : static_cast<char*>(mapping) + kGuard;
}

}  // namespace

void set_placement(Placement placement, std::size_t alignment) {
  CDT_CHECK(alignment > 0 && (alignment & (alignment - 1)) == 0, "alignment");
  state.placement = placement;
  state.alignment = alignment;
}

bool take_bytes(std::size_t bytes) {
  if (bytes > total_bytes() - state.used) return false;
  state.used += bytes;
  return true;
}

void give_bytes(std::size_t bytes) { state.used -= bytes; }

void* allocate(std::size_t bytes, MemoryKind kind, int device) {
  if (kind == MemoryKind::kDevice && !take_bytes(bytes)) return nullptr;
  const std::size_t pages = round_up(std::max<std::size_t>(bytes, 1), kPage);
  char* const low = new_range(pages);
  if (low == nullptr || !map_fresh(low, pages)) return nullptr;
  const std::size_t slack = (pages - bytes) / state.alignment * state.alignment;
  char* const base = low + (state.placement == Placement::kEnd ? slack : 0);
  const Allocation a{base, bytes,          low,   pages, kind, ++state.count,
                     true, {{low, pages}}, false, device};
  state.allocations[low - kGuard] = a;
  if (kind == MemoryKind::kDevice && state.access != Access::kOpen) protect(a, PROT_NONE);
  return base;
}

void* reserve_addresses(std::size_t bytes) {
  const std::size_t pages = round_up(bytes, kPage);
  char* const low = new_range(pages);
  if (low == nullptr) return nullptr;
  state.allocations[low - kGuard] = {low,           pages, low, pages, MemoryKind::kDevice,
                                     ++state.count, true,  {},  true};
  return low;
}

bool is_reserved(const void* pointer, std::size_t bytes) {
  const Allocation* const a = find(pointer);
  const auto* const p = static_cast<const char*>(pointer);
  return a != nullptr && a->live && a->reserved_only && p >= a->low &&
         p + bytes <= a->low + a->pages_bytes;
}

bool map_piece(void* pointer, std::size_t bytes, int device) {
  auto* const at = static_cast<char*>(pointer);
  Allocation* const a = find(pointer);
  if (a == nullptr || !map_fresh(at, bytes)) return false;
  a->pieces[at] = bytes;
  a->device = device;
  if (state.access != Access::kOpen) mprotect(at, bytes, PROT_NONE);
  return true;
}

void unmap_piece(void* pointer) {
  auto* const at = static_cast<char*>(pointer);
  Allocation* const a = find(pointer);
  if (a == nullptr || a->pieces.count(at) == 0) return;
  seal(at, a->pieces[at]);
  a->pieces.erase(at);
}

bool release(void* pointer, MemoryKind kind) {
  Allocation* const a = find(pointer);
  if (a == nullptr || !a->live || a->base != pointer || a->kind != kind) return false;
  // The address range stays reserved, so that a later use of it is detected and named.
  seal(a->low, a->pages_bytes);
  a->live = false;
  if (kind == MemoryKind::kDevice && !a->reserved_only) give_bytes(a->bytes);
  return true;
}

void release_all() {
  for (auto& [mapping, a] : state.allocations) munmap(mapping, a.pages_bytes + 2 * kGuard);
  state.allocations.clear();
  state.used = 0;
}

MemoryInfo memory_info() { return {total_bytes(), total_bytes() - state.used}; }

bool holds(const void* pointer, std::size_t bytes, MemoryKind kind) {
  const Allocation* const a = find(pointer);
  const bool elsewhere =
      kind == MemoryKind::kDevice && a != nullptr && a->device != current_device();
  return a != nullptr && !elsewhere && a->kind == kind && inside(*a, pointer, bytes);
}

bool holds(const void* pointer, std::size_t bytes) {
  return holds(pointer, bytes, MemoryKind::kDevice) || holds(pointer, bytes, MemoryKind::kPinned);
}

std::string describe_address(const void* pointer) {
  const Allocation* const a = find(pointer);
  if (a == nullptr) return "";
  const auto* const p = static_cast<const char*>(pointer);
  const std::string name = "allocation " + std::to_string(a->number) + " (" +
                           std::to_string(a->bytes) + " bytes)" +
                           (device_count() > 1 ? " of device " + std::to_string(a->device) : "");
  if (p < a->base) return std::to_string(a->base - p) + " bytes before " + name;
  const auto offset = static_cast<std::size_t>(p - a->base);
  if (a->live && a->reserved_only && offset < a->bytes && !inside(*a, pointer, 1)) {
    return "byte " + std::to_string(offset) + " of " + name + ", where no memory is mapped";
  }
  if (offset >= a->bytes) {
    return std::to_string(offset - a->bytes) + " bytes past the end of " + name;
  }
  return (a->live ? "byte " : "freed: byte ") + std::to_string(offset) + " of " + name;
}

std::string find_overrun() {
  const Opened opened;
  for (const auto& entry : state.allocations) {
    if (!entry.second.live) continue;
    std::string text = overrun_of(entry.second);
    if (!text.empty()) return text;
  }
  return "";
}

void set_access(Access access) {
  constexpr int kProtection[] = {PROT_READ | PROT_WRITE, PROT_NONE, PROT_READ};
  for (const auto& entry : state.allocations) {
    const Allocation& a = entry.second;
    const bool device = a.kind == MemoryKind::kDevice;
    // Kernels may write pinned memory too: it is tracked then, but belongs to the host at all other
    // times.
    if (a.live && (device || access != Access::kClosed)) {
      protect(a, kProtection[static_cast<int>(access)]);
    }
  }
  state.access = access;
}

void close_between_launches(bool on) {
  state.closing = on;
  set_access(on ? Access::kClosed : Access::kOpen);
}

Opened::Opened() {
  if (state.closing) set_access(Access::kOpen);
}

Opened::~Opened() {
  if (state.closing) set_access(Access::kClosed);
}

bool track_write(void* address) {
  if (state.access != Access::kTracked) return false;
  const Allocation* const a = find(address);
  auto* const p = static_cast<char*>(address);
  if (a == nullptr || !a->live) return false;
  auto piece = a->pieces.upper_bound(p);
  if (piece == a->pieces.begin()) return false;
  const auto [low, size] = *--piece;
  if (p >= low + size) return false;
  char* const chunk = low + static_cast<std::size_t>(p - low) / kChunk * kChunk;
  const std::size_t bytes = std::min(kChunk, static_cast<std::size_t>(low + size - chunk));
  keep_chunk(chunk, bytes);
  return mprotect(chunk, bytes, PROT_READ | PROT_WRITE) == 0;
}

}  // namespace cdt::emulation
