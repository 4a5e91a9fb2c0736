#include "tests/emulation/snapshot.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <sstream>
#include <vector>

#include "engine/error.h"
#include "tests/emulation/memory.h"

namespace cdt::emulation {
namespace {

constexpr std::size_t kMaxChunks = std::size_t{1} << 20U;
constexpr std::size_t kMaxBytes = std::size_t{1} << 34U;

struct Chunk {
  char* at;
  std::size_t bytes;
  std::size_t kept;  // offset in the saved bytes, and in the result
};

/// Address space only, until a chunk is saved: a signal handler cannot allocate.
char* reserve(std::size_t bytes) {
  void* const p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CDT_CHECK(p != MAP_FAILED, "address space for snapshots");
  return static_cast<char*>(p);
}

struct Snapshot {
  Chunk* chunks = reinterpret_cast<Chunk*>(reserve(kMaxChunks * sizeof(Chunk)));
  char* before = reserve(kMaxBytes);
  std::size_t count = 0, bytes = 0;
  std::vector<char> result;
};

Snapshot& snapshot() {
  static Snapshot s;
  return s;
}

}  // namespace

void start_tracking() {
  snapshot().count = snapshot().bytes = 0;
  set_access(Access::kTracked);
}

void keep_chunk(char* chunk, std::size_t bytes) {
  Snapshot& s = snapshot();
  if (s.count == kMaxChunks || s.bytes + bytes > kMaxBytes) std::abort();
  s.chunks[s.count++] = {chunk, bytes, s.bytes};
  std::memcpy(s.before + s.bytes, chunk, bytes);
  s.bytes += bytes;
}

void take_result() {
  Snapshot& s = snapshot();
  s.result.resize(s.bytes);
  for (std::size_t i = 0; i < s.count; ++i) {
    std::memcpy(s.result.data() + s.chunks[i].kept, s.chunks[i].at, s.chunks[i].bytes);
  }
}

void restore() {
  const Snapshot& s = snapshot();
  for (std::size_t i = 0; i < s.count; ++i) {
    std::memcpy(s.chunks[i].at, s.before + s.chunks[i].kept, s.chunks[i].bytes);
  }
}

std::string compare_with_result() {
  Snapshot& s = snapshot();
  for (std::size_t i = 0; i < s.count; ++i) {
    const Chunk& c = s.chunks[i];
    // A chunk that only this run wrote still has its previous bytes in the first run's result.
    const char* const want =
        c.kept < s.result.size() ? s.result.data() + c.kept : s.before + c.kept;
    if (std::memcmp(c.at, want, c.bytes) == 0) continue;
    std::size_t byte = 0;
    while (c.at[byte] == want[byte]) ++byte;
    byte = byte / sizeof(float) * sizeof(float);
    float got = 0.0F;
    float first = 0.0F;
    std::memcpy(&got, c.at + byte, sizeof(got));
    std::memcpy(&first, want + byte, sizeof(first));
    std::ostringstream text;
    text << describe_address(c.at + byte) << " (as float32 " << first << " and " << got << ")";
    return text.str();
  }
  return "";
}

}  // namespace cdt::emulation
