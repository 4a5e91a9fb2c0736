#include "io/format/warning.h"

#include <cerrno>
#include <cstdio>
#include <mutex>
#include <set>

#include "engine/error.h"

namespace cdt {
namespace {

void say(const char* kind, const std::string& message) {
  constexpr std::size_t kLimit = 2000;
  static std::mutex mutex;
  static std::set<std::string> said;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!said.insert(kind + message).second) return;
  const std::string line = std::string(program_invocation_short_name) + ": " + kind + ": " +
                           printable(message, kLimit) + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace

void warn(const std::string& message) { say("warning", message); }
void note(const std::string& message) { say("note", message); }

}  // namespace cdt
