#include "tests/emulation/shared_memory.h"

#include <sys/mman.h>

#include <algorithm>

#include "engine/error.h"
#include "tests/emulation/include/device_language.h"
#include "tests/emulation/program.h"

namespace cdt::emulation {
namespace {

constexpr std::size_t kArea = std::size_t{256} << 10U;
constexpr std::size_t kAlignment = 16;

struct DynamicShared {
  char* end;  // the guard begins here
  std::size_t bytes = 0;

  DynamicShared() {
    void* const p = mmap(nullptr, 2 * kArea, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CDT_CHECK(p != MAP_FAILED, "memory for dynamic shared memory");
    end = static_cast<char*>(p) + kArea;
    CDT_CHECK(mprotect(end, kArea, PROT_NONE) == 0, "guard of dynamic shared memory");
  }
  char* begin() const { return end - (bytes + kAlignment - 1) / kAlignment * kAlignment; }
};

DynamicShared& dynamic() {
  static DynamicShared d;
  return d;
}

void fill(char* at, std::size_t bytes, unsigned short word) {
  std::fill_n(reinterpret_cast<unsigned short*>(at), bytes / sizeof(word), word);
}

}  // namespace

void size_dynamic_shared(std::size_t bytes) { dynamic().bytes = bytes; }

void* dynamic_shared() { return dynamic().begin(); }

void fill_shared(unsigned short word) {
  for (const SharedVariable& v : shared_variables()) fill(v.at, v.bytes, word);
  fill(dynamic().begin(), dynamic().bytes, word);
}

std::string describe_dynamic_shared(const void* address) {
  const DynamicShared& d = dynamic();
  const auto* const p = static_cast<const char*>(address);
  if (p < d.end || p >= d.end + kArea) return "";
  return std::to_string(p - d.begin() - static_cast<std::ptrdiff_t>(d.bytes)) +
         " bytes past the end of dynamic shared memory (" + std::to_string(d.bytes) + " bytes)";
}

}  // namespace cdt::emulation
