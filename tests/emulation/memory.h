// Memory of the emulated device. Every allocation is a separate mapping between guard pages, and
// fresh memory reads as NaN in float64, float32, float16 and bfloat16 alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cdt::emulation {

/// Every 16 bits of fresh memory; as an integer, a large negative number.
constexpr std::uint16_t kFreshWord = 0xFFF8;

/// Which guard an allocation touches. Its start is aligned to `alignment` bytes (a power of two; by
/// default 256, as with cudaMalloc), so up to alignment - 1 bytes may lie between its end and the
/// guard; they and the rest of the first page are checked for writes instead.
enum class Placement { kEnd, kStart };
void set_placement(Placement placement, std::size_t alignment = 256);

enum class MemoryKind { kDevice, kPinned };

/// Which accesses to the device's memory are allowed at the moment.
///   kOpen     everyone reads and writes
///   kClosed   no one: the host's state in checking mode, so that it cannot touch device memory
///   kTracked  reads only; a write makes its chunk writable and saves the previous bytes
enum class Access { kOpen, kClosed, kTracked };

/// Null if the devices have less than `bytes` left. Does not throw.
void* allocate(std::size_t bytes, MemoryKind kind, int device);
/// False if `pointer` is not a live allocation of this kind. Freed memory traps from then on.
bool release(void* pointer, MemoryKind kind);
/// Address space without memory, and memory in whole pages mapped into it. It is released like an
/// allocation. Null or false if there is none.
void* reserve_addresses(std::size_t bytes);
bool is_reserved(const void* pointer, std::size_t bytes);
bool map_piece(void* pointer, std::size_t bytes, int device);
void unmap_piece(void* pointer);
/// Takes bytes of the device's memory, false if there is not enough, and gives them back.
bool take_bytes(std::size_t bytes);
void give_bytes(std::size_t bytes);

/// Forgets all allocations, live or not.
void release_all();

struct MemoryInfo {
  std::size_t total, free;
};
MemoryInfo memory_info();

/// Is [pointer, pointer + bytes) inside one live allocation of this kind (or of any) and, if it is
/// device memory, on the thread's device?
bool holds(const void* pointer, std::size_t bytes, MemoryKind kind);
bool holds(const void* pointer, std::size_t bytes);

/// "20 bytes past the end of allocation 3 (400 bytes)", "freed memory: ...", or "" if no allocation
/// is near.
std::string describe_address(const void* pointer);

/// A description of the first allocation whose surroundings were written, or "".
std::string find_overrun();

void set_access(Access access);
/// Sets whether memory that only kernels and copies may touch is closed between launches.
void close_between_launches(bool on);
/// Opens device memory for the host in this scope, as copies need.
class Opened {
 public:
  Opened();
  ~Opened();
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
};

/// Handles a write that trapped at `address`: if the memory there is tracked, saves the chunk and
/// makes it writable. Called from the signal handler.
bool track_write(void* address);

}  // namespace cdt::emulation
