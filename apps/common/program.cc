#include "apps/common/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include "apps/common/tables.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "engine/poll.h"
#include "engine/ranks/communicator.h"
#include "io/format/text.h"

// Defined by the Makefile for this file only, so that a new commit recompiles nothing else.
#ifndef CDT_VERSION
#define CDT_VERSION "unversioned"
#define CDT_GIT_HASH ""
#define CDT_FLAGS ""
#endif

namespace cdt {
namespace {

constexpr std::size_t kLineLimit = 4000;

/// Opens the standard streams that the caller closed; otherwise the next opened file would get
/// their number and receive our messages. Standard output becomes a device that refuses every byte;
/// returns true if it was closed.
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

/// Why standard output was not completely written; empty if it was.
std::string output_failure() {
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  int reason = errno;
  if (flushed && std::ferror(stdout) == 0 && std::cout.good()) return "";
  // The failed write may be long past; the error of another write is most likely its cause.
  if (reason == 0 && write(STDOUT_FILENO, "\n", 1) < 0) reason = errno;
  return reason != 0 ? std::generic_category().message(reason) : "an earlier write failed";
}

/// Writes "NAME: MESSAGE" as one line to stderr, control characters escaped.
void report_error(const std::string& name, std::string_view message) {
  std::fputs((name + ": " + printable(message, kLineLimit) + "\n").c_str(), stderr);
}

int guarded(const char* name, int argc, char** argv, const std::function<int(int, char**)>& body) {
  try {
    return body(argc, argv);
  } catch (const InputError& error) {
    report_error(name, error.what());
    return kExitMistaken;
  } catch (const RankEnded& ended) {
    return ended.exit_code();
  } catch (const std::bad_alloc&) {
    report_error(name, "out of memory");
  } catch (const std::exception& error) {
    report_error(name, error.what());
  }
  return kExitFailed;
}

constexpr std::int64_t kNever = -1;
constexpr std::int64_t kTogether = 1'000'000'000;  // signals within these ns count as one

// State of the signal handlers, which may run on any thread: lock-free atomics and calls that are
// safe in a handler.
std::atomic<std::int64_t> first_at{kNever};  // ns of the monotonic clock
std::array<char, 256> last_words;
std::size_t last_words_size = 0;

std::string how_to_go_on;  // "": nothing is kept

std::int64_t now() {
  timespec t = {};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void note_signal(int signal) {
  const int error = errno;
  std::int64_t first = kNever;
  const std::int64_t at = now();
  const bool is_first = first_at.compare_exchange_strong(first, at);
  if (!is_first && at - first > kTogether && signal != SIGXCPU) {
    static_cast<void>(!write(STDERR_FILENO, last_words.data(), last_words_size));
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
    raise(signal);  // ends the process when this handler returns
  }
  errno = error;
}

std::atomic<bool> asked_to_save{false};

void note_save_request(int /*signal*/) { asked_to_save = true; }

/// Calls `handler` on `signal` unless that is ignored; meanwhile all of `blocked` wait.
template <class Signals>
void handle(int signal, void (*handler)(int), const Signals& blocked) {
  struct sigaction before = {};
  if (sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) return;
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_ONSTACK);
  for (const int other : blocked) sigaddset(&action.sa_mask, other);
  sigaction(signal, &action, nullptr);
}

/// Gives signal handlers a stack of their own. oneDNN's matrix product kernels keep data below the
/// stack pointer, beyond what the ABI protects, and a handler on the same stack overwrites it (seen
/// with 2.6.3 and a transposed A: heap corruption). Signals to the process go to the main thread,
/// which calls this.
void handle_on_a_stack_apart() {
  stack_t held = {};
  if (sigaltstack(nullptr, &held) == 0 && (held.ss_flags & SS_DISABLE) == 0) return;
  static std::array<char, std::size_t{1} << 16U> memory;
  stack_t apart = {};
  apart.ss_sp = memory.data();
  apart.ss_size = memory.size();
  if (sigaltstack(&apart, nullptr) != 0) throw Error("sigaltstack failed");
}

}  // namespace

int run_main(const char* name, int argc, char** argv, const std::function<int(int, char**)>& body) {
  // A closed pipe or a file-size limit then shows as a failed write.
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

void catch_interrupts(const char* name, const char* lost) {
  const std::string line = std::string(name) + ": stopped at once: " + lost + "\n";
  CDT_CHECK(line.size() <= last_words.size(), "a longer line than there is room for");
  last_words_size = line.copy(last_words.data(), line.size());
  handle_on_a_stack_apart();
  set_poll(stop_if_interrupted);
  for (const int signal : kEndSignals) handle(signal, note_signal, kEndSignals);
}

void catch_save_requests() { handle(SIGUSR1, note_save_request, std::array<int, 1>{SIGUSR1}); }

bool save_requested() { return asked_to_save; }

void save_request_met() { asked_to_save = false; }

bool interrupted() { return first_at != kNever; }

void stop_if_interrupted() {
  if (!interrupted()) return;
  if (how_to_go_on.empty()) throw Error("interrupted; nothing is kept");
  throw Error("interrupted; what was finished is kept, " + how_to_go_on);
}

void keep_when_interrupted(const char* how) { how_to_go_on = how; }

std::string version() {
  std::string text = CDT_VERSION;
  constexpr const char* kHash = CDT_GIT_HASH;
  if (*kHash == '\0') return text + " (commit unknown)";
  return text.append(" (git ").append(kHash).append(")");
}

Build build() {
  constexpr std::string_view kChanged = "-dirty";
  Build out;
  out.version = CDT_VERSION;
  out.git = CDT_GIT_HASH;
  out.changed = out.git.ends_with(kChanged);
  if (out.changed) out.git.resize(out.git.size() - kChanged.size());
#ifdef __clang__
  out.compiler = "clang++ " __clang_version__;
#else
  out.compiler = "g++ " __VERSION__;
#endif
  out.flags = CDT_FLAGS;
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
  out.built_for = "x86-64-v4";
#elif defined(__AVX2__) && defined(__FMA__)
  out.built_for = "x86-64-v3";
#elif defined(__x86_64__)
  out.built_for = "x86-64";
#endif
  return out;
}

std::string version_text(std::string_view program) {
  std::string text(program);
  text += " " + version() + "\ndevices: cpu";
  if (cuda_built()) text += ", cuda";
  return text + "\n";
}

std::string shell_word(std::string_view word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(word);
  }
  // Control characters and bytes that are not UTF-8: a shell reads their escapes within $'...'.
  const std::string text = escape_bytes(word);
  const bool escaped = text.find("\\x") != std::string::npos;
  const char* const quote = escaped ? "\\'" : "'\\''";
  std::string out = escaped ? "$'" : "'";
  for (const char c : escaped ? text : std::string(word)) {
    out += c == '\'' ? std::string(quote) : std::string(1, c);
  }
  return out + "'";
}

std::string command_line(const std::string& program, int argc, const char* const* argv) {
  std::string line = program;
  for (int i = 1; i < argc; ++i) line += " " + shell_word(argv[i]);
  return line;
}

}  // namespace cdt
