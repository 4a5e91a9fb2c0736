// Shared memory of the running block.
#pragma once

#include <cstddef>
#include <string>

namespace cdt::emulation {

constexpr std::size_t kMaxDynamicShared = std::size_t{227} << 10U;

/// Sizes the dynamic part; what lies behind it traps.
void size_dynamic_shared(std::size_t bytes);
/// Fills static and dynamic shared memory, as left over by whatever ran before.
void fill_shared(unsigned short word);
/// "4 bytes past the end of dynamic shared memory (1024 bytes)", or "".
std::string describe_dynamic_shared(const void* address);

}  // namespace cdt::emulation
