// Tables of a library's calls by name, as dlsym() finds them in emulated libraries.
#pragma once

#include <cstring>
#include <initializer_list>

namespace cdt::emulation {

struct NamedCall {
  template <class Result, class... Arguments>
  NamedCall(const char* its_name, Result (*call)(Arguments...))
      : name(its_name), address(reinterpret_cast<void*>(call)) {}
  const char* name;
  void* address;
};

/// Returns the address of the call of this name, or null.
inline void* find_call(const char* name, std::initializer_list<NamedCall> calls) {
  for (const NamedCall& call : calls) {
    if (std::strcmp(call.name, name) == 0) return call.address;
  }
  return nullptr;
}

}  // namespace cdt::emulation
