// Memory of the emulated device. Every allocation is a mapping of its own between guard pages, and
// fresh memory reads as NaN in float64, float32, float16 and bfloat16 alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cdt::emulation {

/// Each 16 bits of fresh memory; a negative, large number as an integer.
constexpr std::uint16_t kFreshWord = 0xFFF8;

/// Which guard an allocation touches. Its start is aligned to `alignment` bytes (a power of two;
/// cudaMalloc's 256 by default), so up to alignment - 1 bytes may lie between its end and the
/// guard; they and the rest of the first page are checked for writes instead.
enum class Placement { kEnd, kStart };
void set_placement(Placement placement, std::size_t alignment = 256);

enum class MemoryKind { kDevice, kPinned };

/// What the device's memory allows at the moment.
///   kOpen     everybody reads and writes
///   kClosed   nobody; the host's state while checking, so that it cannot touch device memory
///   kTracked  reads only; a write makes its chunk writable and keeps the bytes from before
enum class Access { kOpen, kClosed, kTracked };

/// Null where the devices have no `bytes` left. Throws nothing.
void* allocate(std::size_t bytes, MemoryKind kind, int device);
/// False where `pointer` is no live allocation of this kind. Freed memory traps from then on.
bool release(void* pointer, MemoryKind kind);
/// Address space without memory, and memory in pieces of whole pages within it. It is released as
/// an allocation is. Null or false where there is none.
void* reserve_addresses(std::size_t bytes);
bool is_reserved(const void* pointer, std::size_t bytes);
bool map_piece(void* pointer, std::size_t bytes, int device);
void unmap_piece(void* pointer);
/// Takes bytes of the device's memory, false where it has not so many, and gives them back.
bool take_bytes(std::size_t bytes);
void give_bytes(std::size_t bytes);

/// All allocations, live or not, are forgotten.
void release_all();

struct MemoryInfo {
  std::size_t total, free;
};
MemoryInfo memory_info();

/// Is [pointer, pointer + bytes) inside one live allocation of this kind (or of any), and if it is
/// a device's, of the thread's device?
bool holds(const void* pointer, std::size_t bytes, MemoryKind kind);
bool holds(const void* pointer, std::size_t bytes);

/// "20 bytes past the end of allocation 3 (400 bytes)", "freed memory: ...", or "" if no allocation
/// is near.
std::string describe_address(const void* pointer);

/// The first allocation whose surroundings were written, described, or "".
std::string find_overrun();

void set_access(Access access);
/// Is memory that nobody but kernels and copies may touch closed in between?
void close_between_launches(bool on);
/// Device memory is open for the host in this scope, as copies need it.
class Opened {
 public:
  Opened();
  ~Opened();
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
};

/// A write trapped at `address`: if memory is tracked there, keeps the chunk and makes it writable.
/// Called from the signal handler.
bool track_write(void* address);

}  // namespace cdt::emulation
