#include "apps/report/gnuplot.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "apps/common/program.h"
#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

// The script is read as a file, not from standard input, so that gnuplot reports the line of an
// error.
constexpr const char* kScript = "/dev/stdin";

[[noreturn]] void fail(const char* call, int error) {
  throw Error(std::string("gnuplot: ") + call + ": " + system_message(error));
}

/// An anonymous file in memory; unlike a pipe it takes all data before anyone reads.
FileDescriptor memory_file(const char* name) {
  FileDescriptor file(memfd_create(name, MFD_CLOEXEC));
  if (file.get() < 0) fail("memfd_create", errno);
  return file;
}

void write_all(const FileDescriptor& file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = write(file.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write", errno);
    done += static_cast<std::size_t>(n);
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) fail("lseek", errno);
}

std::string read_all(const FileDescriptor& file) {
  std::string out(file_size(file, "gnuplot"), '\0');
  if (!out.empty()) read_exactly(file, "gnuplot", 0, out.data(), out.size());
  return out;
}

/// Line `number` of a script (counting from 1), shortened to fit a message.
std::string line_of(const std::string& script, std::size_t number) {
  constexpr std::size_t kMost = 160;
  std::istringstream lines(script);
  std::string line;
  for (std::size_t at = 0; at < number && std::getline(lines, line);) ++at;
  return line.size() > kMost ? line.substr(0, kMost) + "..." : line;
}

/// Starts `program -d /dev/stdin` (no start-up files) on three descriptors, with a minimal
/// environment.
pid_t start(const fs::path& program, const std::array<int, 3>& streams) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; ++fd) {
    posix_spawn_file_actions_adddup2(&actions, streams[static_cast<std::size_t>(fd)], fd);
  }
  std::string name = program.string();
  std::string option = "-d";
  std::string locale = "LC_ALL=C";
  std::string path = "PATH=/usr/bin:/bin";
  std::string script = kScript;
  const std::array<char*, 4> arguments{name.data(), option.data(), script.data(), nullptr};
  const std::array<char*, 3> environment{locale.data(), path.data(), nullptr};
  pid_t child = 0;
  const int error =
      posix_spawn(&child, name.c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(name.c_str(), error);
  return child;
}

}  // namespace

std::string gnuplot_error(const std::string& messages, const std::string& script) {
  const std::string before = '"' + std::string(kScript) + "\" line ";
  std::istringstream lines(messages);
  std::string line;
  std::string other = "no message";
  while (std::getline(lines, line)) {
    std::string lower = line;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (lower.find("warning:") != std::string::npos) continue;
    if (line.rfind(before, 0) != 0) {
      if (line.find_first_not_of(" \t^") != std::string::npos) other = line;
      continue;
    }
    const std::size_t colon = std::min(line.find(": ", before.size()), line.size());
    const std::string number = line.substr(before.size(), colon - before.size());
    std::int64_t at = 0;
    if (!parse_int64(number, &at) || at < 1) continue;
    std::string complaint = line.substr(std::min(colon + 2, line.size()));
    complaint.resize(complaint.find_last_not_of(' ') + 1);
    complaint.append(" (script line ").append(number).append(": ");
    return complaint.append(line_of(script, static_cast<std::size_t>(at))).append(")");
  }
  return other;
}

Gnuplot::Gnuplot() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    const fs::path candidate = fs::path(folder.empty() ? "." : folder) / "gnuplot";
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored) && access(candidate.c_str(), X_OK) == 0) {
      program_ = candidate;
      return;
    }
  }
  throw InputError("gnuplot", "PATH",
                   "no such program; it draws the figures (Debian package gnuplot-nox)");
}

std::string Gnuplot::draw(const std::string& script) const {
  const FileDescriptor input = memory_file("script");
  const FileDescriptor output = memory_file("picture");
  const FileDescriptor messages = memory_file("messages");
  write_all(input, script);
  const pid_t child = start(program_, {input.get(), output.get(), messages.get()});
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail("waitpid", errno);
  }
  stop_if_interrupted();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw Error("gnuplot failed: " + gnuplot_error(read_all(messages), script));
  }
  return read_all(output);
}

}  // namespace cdt
