#include "apps/train/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "apps/common/provenance.h"
#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/json.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* field, int error) {
  throw InputError(path.string(), field, system_message(error));
}

/// In previous/, and for a moment in last/: the best model of that moment, if it is no more in the
/// run's folder.
constexpr const char* kKeptBest = "best.safetensors";

void rename_folder(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) fail(to, "write", errno);
}

/// Swaps the names of two folders atomically; false if the file system cannot.
bool exchange(const fs::path& a, const fs::path& b) {
  return renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
}

/// Checks that line `number` of metrics.jsonl has the expected epoch.
void check_metrics_line(std::string_view line, std::int64_t number, std::int64_t epoch,
                        const fs::path& file) {
  const std::string where = file.string() + ": line " + std::to_string(number);
  const nlohmann::json parsed = parse_json(line, where);
  const std::int64_t got = JsonReader(parsed, where).integer("epoch");
  if (got == epoch) return;
  throw InputError(where, "epoch",
                   expected_got("rows of finished epochs are missing or moved",
                                std::to_string(epoch), std::to_string(got)));
}

/// Removes a folder. One that cannot be removed (a file in use on a network volume) only gets a
/// warning.
void remove_folder(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) warn(path.string() + ": cannot be removed (" + error.message() + ")");
}

/// Renames a folder that could not be removed: "last.old" becomes "last.old.1".
void put_aside(const fs::path& path) {
  if (!fs::exists(path)) return;
  for (int number = 1;; ++number) {
    const fs::path aside = path.string() + "." + std::to_string(number);
    if (fs::exists(aside)) continue;
    rename_folder(path, aside);
    return;
  }
}

/// Tries again to remove folders that were put aside.
void remove_put_aside(const fs::path& path) {
  for (int number = 1; fs::exists(path.string() + "." + std::to_string(number)); ++number) {
    remove_folder(path.string() + "." + std::to_string(number));
  }
}

fs::path lock_name(const fs::path& run) { return run / "lock"; }

/// Folders that an interrupted replacement of last/ may leave behind.
fs::path new_folder(const fs::path& run) { return run / "last.new"; }
fs::path old_folder(const fs::path& run) { return run / "last.old"; }

/// Whether the folder holds a run, as far as it can be looked at.
bool may_hold_run(const fs::path& folder) {
  try {
    return kRunOutput.is_in(folder) || is_there(folder / "last");
  } catch (const InputError&) {
    return true;
  }
}

bool has_files(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder, error) && !fs::is_empty(folder, error);
}

}  // namespace

void RunFolder::check(const fs::path& path, bool resume, bool overwrite) {
  const bool saved =
      is_there(path / "last") || is_there(old_folder(path)) || is_there(path / "previous");
  if (resume && !saved) {
    throw InputError(path.string(), "--resume", "there is no run to resume (no last/ folder)");
  }
  if (!resume && !overwrite && (saved || kRunOutput.is_in(path))) {
    throw InputError(path.string(), "--out",
                     "already holds a run; --resume continues it, --overwrite replaces it");
  }
  check_output_folder(path, kRunOutput, resume || overwrite, resume);
}

RunFolder::RunFolder(fs::path path, bool resume, bool overwrite)
    : path_(std::move(path)), resume_(resume) {
  check(path_, resume, overwrite);
  folder_.emplace(path_);
  had_lock_ = is_there(lock_name(path_));
  lock_ = lock_file(lock_name(path_), "another cdt-train is writing to this run");
  check(path_, resume,
        overwrite);  // another process may have started the run before we had the lock
  sweep_temporaries(path_);
  sweep_temporaries(path_ / "last");
  if (resume) repair_last();
  if (!resume) return;
  for (const fs::path& folder : {old_folder(path_), previous()}) remove_put_aside(folder);
}

RunFolder::~RunFolder() {
  if (resume_ || may_hold_run(path_)) return;
  if (begun_) {
    for (const char* name : {"config.json", kProvenanceFile}) unlink((path_ / name).c_str());
  }
  if (!had_lock_) unlink(lock_name(path_).c_str());
}

void RunFolder::require_space(std::uint64_t model_bytes) const {
  if (!writes()) return;
  constexpr std::uint64_t kLast = 3;
  std::uint64_t bytes = kLast * model_bytes;                        // for what replaces last/
  if (!fs::exists(previous())) bytes += (1 + kLast) * model_bytes;  // with its best model
  if (!resume_) {
    bytes += (1 + kLast) * model_bytes;
    for (const fs::path& file : existing_files(path_, kRunOutput)) {
      std::error_code error;
      const std::uintmax_t size = fs::file_size(file, error);
      if (!error) bytes -= std::min<std::uint64_t>(bytes, size);  // this file is deleted first
    }
  }
  require_free_space(path_, bytes);
}

void RunFolder::begin(const std::string& config, const std::string& provenance) {
  if (!writes()) return;
  begun_ = true;
  if (!resume_) {
    // Saves are renamed first, so that no half of one is left to resume from.
    const auto give_up = [this](const fs::path& save) {
      remove_folder(new_folder(path_));
      if (std::rename(save.c_str(), new_folder(path_).c_str()) == 0) sync_folder(path_);
    };
    give_up(previous());
    if (fs::exists(last())) remove_folder(old_folder(path_));
    give_up(fs::exists(last()) ? last() : old_folder(path_));
    for (const char* folder : kRunOutput.folders) remove_folder(path_ / folder);
    for (const fs::path& folder : {old_folder(path_), previous()}) remove_put_aside(folder);
    // The file that marks a run stays until it is replaced, so that the folder is recognised as a
    // run if the program is killed here.
    for (const fs::path& file : existing_files(path_, kRunOutput)) {
      if (file.filename() != kRunOutput.sign) remove_file(file);
    }
  }
  write_file(path_ / "config.json", config);  // first: it identifies a run
  write_file(path_ / kProvenanceFile, provenance);
}

void RunFolder::repair_last() const {
  // last.old exists only while a complete last.new is about to replace last/.
  if (!fs::exists(last()) && fs::exists(old_folder(path_))) {
    rename_folder(has_files(new_folder(path_)) ? new_folder(path_) : old_folder(path_), last());
  }
  if (fs::exists(old_folder(path_))) make_previous(old_folder(path_));
  if (!fs::exists(last()) && fs::exists(previous())) {
    warn(last().string() + ": is missing; the run goes on from what was saved before, in " +
         previous().string());
    rename_folder(previous(), last());
  }
  take_kept_best();
  sync_folder(path_);
  remove_folder(new_folder(path_));
  remove_folder(old_folder(path_));
}

void RunFolder::make_previous(const fs::path& folder) const {
  if (exchange(folder, previous())) return;
  remove_folder(previous());
  put_aside(previous());
  rename_folder(folder, previous());
}

void RunFolder::keep_best_for_previous() const {
  const fs::path kept = previous() / kKeptBest;
  if (!writes() || !fs::exists(previous()) || !fs::exists(best_model())) return;
  std::error_code error;
  fs::remove(kept, error);
  fs::create_hard_link(best_model(), kept, error);
  if (error) fs::copy_file(best_model(), kept, error);
  if (error) fail(kept, "write", error.value());
  sync_folder(previous());
}

void RunFolder::take_kept_best() const {
  const fs::path kept = last() / kKeptBest;
  if (fs::exists(kept)) rename_folder(kept, best_model());
}

void RunFolder::step_back() const {
  if (!writes()) return;
  const fs::path damaged = path_ / "last.damaged";
  remove_folder(damaged);
  put_aside(damaged);
  rename_folder(last(), damaged);
  rename_folder(previous(), last());
  take_kept_best();
  sync_folder(path_);
}

void RunFolder::replace_last(const std::function<void(const fs::path&)>& write) const {
  if (!writes()) return;
  const fs::path fresh = new_folder(path_);
  remove_folder(fresh);
  create_output_directory(fresh);
  try {
    write(fresh);
    sync_folder(fresh);
    if (!fs::exists(last())) {
      rename_folder(fresh, last());
    } else if (exchange(fresh, last())) {
      sync_folder(path_);
      make_previous(fresh);
    } else {
      put_aside(old_folder(path_));
      rename_folder(last(), old_folder(path_));
      rename_folder(fresh, last());
      sync_folder(path_);
      make_previous(old_folder(path_));
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    throw;
  }
  sync_folder(path_);
  remove_folder(fresh);  // after the exchanges this is the older previous/
  remove_folder(old_folder(path_));
}

void RunFolder::append_metrics(const std::string& line) const {
  if (!writes()) return;
  // Writes a new file each time, so that a copy of the run made by hard links keeps its own
  // content.
  write_file(metrics(), metrics_text() + line + "\n");
}

std::string RunFolder::metrics_text() const {
  return is_there(metrics()) ? read_text_file(metrics()) : "";
}

void RunFolder::check_metrics(std::int64_t first, std::int64_t end) const {
  end_of_lines(metrics_text(), first, end);
}

std::size_t RunFolder::end_of_lines(const std::string& text, std::int64_t first,
                                    std::int64_t end) const {
  std::size_t at = 0;
  for (std::int64_t epoch = first; epoch < end; ++epoch) {
    const std::size_t newline = text.find('\n', at);
    if (newline == std::string::npos) {
      throw InputError(metrics().string(), "lines",
                       expected_got("rows of finished epochs are missing",
                                    std::to_string(end - first), std::to_string(epoch - first)));
    }
    check_metrics_line(std::string_view(text).substr(at, newline - at), epoch - first + 1, epoch,
                       metrics());
    at = newline + 1;
  }
  return at;
}

void RunFolder::keep_metrics(std::int64_t first, std::int64_t end) const {
  const std::string text = metrics_text();
  const std::size_t kept = end_of_lines(text, first, end);
  if (kept < text.size() && writes()) write_file(metrics(), text.substr(0, kept));
}

}  // namespace cdt
