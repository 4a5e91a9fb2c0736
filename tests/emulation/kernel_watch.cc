// Kernel tests on the emulated GPU, in checking mode.
#include "tests/emulation/emulation.h"
#include "tests/kernels/kernel_test.h"

namespace cdt::test {

void watch_kernels() { emulation::set_checking(true); }

std::string end_of_watch() {
  std::string finding = emulation::take_finding();
  emulation::set_checking(false);
  return finding;
}

std::optional<std::uint64_t> launches() {
#ifdef CDT_DEBUG  // its arenas fill memory, with kernels that would be counted
  return std::nullopt;
#else
  return emulation::launch_count();
#endif
}

}  // namespace cdt::test
