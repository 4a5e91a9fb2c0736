#include "io/warning.h"

#include <cerrno>
#include <cstdio>
#include <mutex>
#include <set>

#include "engine/error.h"

namespace cdt {

void warn(const std::string& message) {
  constexpr std::size_t kLimit = 2000;
  static std::mutex mutex;
  static std::set<std::string> said;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!said.insert(message).second) return;
  const std::string line = std::string(program_invocation_short_name) +
                           ": warning: " + printable(message, kLimit) + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace cdt
