#include "apps/common/main.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <system_error>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kLineLimit = 4000;

/// A standard stream closed by the caller would lend its number to the next file opened, and that
/// file would receive our messages. Standard output becomes a device that refuses every byte; true
/// if it was closed.
bool occupy_closed_streams() {
  bool closed = false;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) continue;
    const bool results = fd == STDOUT_FILENO;
    closed = closed || results;
    if (open(results ? "/dev/full" : "/dev/null", O_RDWR | O_CLOEXEC) != fd) break;
  }
  return closed;
}

/// Empty if all of standard output was written, else the reason.
std::string output_failure() {
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  int reason = errno;
  if (flushed && std::ferror(stdout) == 0 && std::cout.good()) return "";
  // The write that failed may be long past: why the next one would fail is most likely its reason.
  if (reason == 0 && write(STDOUT_FILENO, "\n", 1) < 0) reason = errno;
  return reason != 0 ? std::generic_category().message(reason) : "an earlier write failed";
}

int guarded(const char* name, int argc, char** argv, const std::function<int(int, char**)>& body) {
  try {
    return body(argc, argv);
  } catch (const InputError& error) {
    report_error(name, error.what());
    return kExitMistaken;
  } catch (const std::bad_alloc&) {
    report_error(name, "out of memory");
  } catch (const std::exception& error) {
    report_error(name, error.what());
  }
  return kExitFailed;
}

}  // namespace

void report_error(std::string_view name, std::string_view message) {
  std::string line(name);
  line += ": ";
  line += printable(message, kLineLimit);
  line += '\n';
  std::fputs(line.c_str(), stderr);
}

int run_main(const char* name, int argc, char** argv, const std::function<int(int, char**)>& body) {
  // A closed pipe and a limit on file sizes then show as failed writes.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const bool closed = occupy_closed_streams();
  const int code = guarded(name, argc, argv, body);
  const std::string failure = output_failure();
  if (failure.empty()) return code;
  report_error(name, closed ? "standard output: is closed"
                            : "standard output: cannot be written (" + failure + ")");
  return code == kExitDone ? kExitFailed : code;
}

}  // namespace cdt
