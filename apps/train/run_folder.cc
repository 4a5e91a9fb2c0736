#include "apps/train/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/json.h"
#include "io/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* field, int error) {
  throw InputError(path.string(), field, system_message(error));
}

void sync_folder(const fs::path& path) {
  const FileDescriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || (fsync(folder.get()) != 0 && errno != EINVAL)) fail(path, "write", errno);
}

void rename_folder(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) fail(to, "write", errno);
}

FileDescriptor lock_run(const fs::path& path) {
  const fs::path name = path / "lock";
  FileDescriptor lock(open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (lock.get() < 0) fail(name, "lock", errno);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) {
    throw InputError(path.string(), "lock", "another cdt-train is writing to this run");
  }
  fail(name, "lock", errno);
}

/// A line of metrics.jsonl is that of its epoch.
void check_metrics_line(std::string_view line, std::int64_t epoch, const fs::path& file) {
  const std::string where = file.string() + ": line " + std::to_string(epoch);
  const nlohmann::json parsed = parse_json(line, where);
  const std::int64_t got = JsonReader(parsed, where).integer("epoch");
  if (got == epoch) return;
  throw InputError(where, "epoch",
                   expected_got("rows of finished epochs are missing or moved",
                                std::to_string(epoch), std::to_string(got)));
}

/// What an unfinished replacement of last/ can leave behind.
fs::path new_folder(const fs::path& run) { return run / "last.new"; }
fs::path old_folder(const fs::path& run) { return run / "last.old"; }

}  // namespace

void RunFolder::check(const fs::path& path, bool resume) {
  const bool saved = fs::exists(path / "last") || fs::exists(old_folder(path));
  if (resume && !saved) {
    throw InputError(path.string(), "--resume", "there is no run to resume (no last/ folder)");
  }
  if (resume) return;
  if (saved || fs::exists(path / "model.safetensors") || fs::exists(path / "metrics.jsonl")) {
    throw InputError(path.string(), "--out",
                     "already holds a run; continue it with --resume or name another folder");
  }
}

RunFolder::RunFolder(fs::path path, bool resume) : path_(std::move(path)) {
  check(path_, resume);
  create_output_directory(path_);
  lock_ = lock_run(path_);
  check(path_, resume);  // another process may have started the run before the lock was ours
  repair_last();
}

void RunFolder::repair_last() const {
  const fs::path last = path_ / "last";
  // last.old exists only while a complete last.new takes its place.
  if (!fs::exists(last) && fs::exists(old_folder(path_))) {
    rename_folder(fs::exists(new_folder(path_)) ? new_folder(path_) : old_folder(path_), last);
    sync_folder(path_);
  }
  fs::remove_all(new_folder(path_));
  fs::remove_all(old_folder(path_));
}

void RunFolder::replace_last(const std::function<void(const fs::path&)>& write) const {
  const fs::path last = path_ / "last";
  const fs::path fresh = new_folder(path_);
  fs::remove_all(fresh);
  create_output_directory(fresh);
  try {
    write(fresh);
    sync_folder(fresh);
    if (fs::exists(last)) rename_folder(last, old_folder(path_));
    rename_folder(fresh, last);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    throw;
  }
  sync_folder(path_);
  fs::remove_all(old_folder(path_));
}

void RunFolder::append_metrics(const std::string& line) const {
  const FileDescriptor file(
      open(metrics().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (file.get() < 0) fail(metrics(), "write", errno);
  const std::string text = line + "\n";
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(file.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(metrics(), "write", errno);
    done += static_cast<std::size_t>(n);
  }
  if (fsync(file.get()) != 0 && errno != EINVAL) fail(metrics(), "write", errno);
}

void RunFolder::keep_metrics(std::int64_t lines) const {
  if (lines == 0 && !fs::exists(metrics())) return;
  const std::string text = read_text_file(metrics());
  std::size_t end = 0;
  for (std::int64_t i = 0; i < lines; ++i) {
    const std::size_t newline = text.find('\n', end);
    if (newline == std::string::npos) {
      throw InputError(metrics().string(), "lines",
                       expected_got("rows of finished epochs are missing", std::to_string(lines),
                                    std::to_string(i)));
    }
    check_metrics_line(std::string_view(text).substr(end, newline - end), i + 1, metrics());
    end = newline + 1;
  }
  if (end == text.size()) return;
  if (truncate(metrics().c_str(), static_cast<off_t>(end)) != 0) fail(metrics(), "write", errno);
}

}  // namespace cdt
