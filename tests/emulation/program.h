// The symbol table of the running program: names of kernels and addresses of their static shared
// memory.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cdt::emulation {

/// Demangled name of the function at `address`, without its parameters.
std::string function_name(const void* address);

/// A static __shared__ variable.
struct SharedVariable {
  char* at;
  std::size_t bytes;
};
const std::vector<SharedVariable>& shared_variables();

}  // namespace cdt::emulation
