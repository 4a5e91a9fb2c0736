// Shared memory of the running block.
#pragma once

#include <cstddef>
#include <string>

namespace cdt::emulation {

constexpr std::size_t kMaxDynamicShared = std::size_t{227} << 10U;

/// Sizes the dynamic part; accesses past it trap.
void size_dynamic_shared(std::size_t bytes);
/// Fills static and dynamic shared memory with stale values, as if left by an earlier block.
void fill_shared(unsigned short word);
/// "4 bytes past the end of dynamic shared memory (1024 bytes)", or "".
std::string describe_dynamic_shared(const void* address);

}  // namespace cdt::emulation
