// A run directory (docs/formats.md): config.json, provenance.json, metrics.jsonl, model.safetensors
// (the best model), last/ with weights and state of the same moment, and previous/ with those of
// the save before. last/ is replaced in one step if the file system can swap two names, otherwise
// by two renames. Either way a kill leaves one complete pair of files, and the next start completes
// or undoes the replacement.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "apps/common/output_folder.h"
#include "io/format/file.h"
#include "io/format/output.h"

namespace cdt {

class RunFolder {
 public:
  /// Creates the folder for a new run, locks it, repairs last/ and removes temporaries. An earlier
  /// run is kept until begin(). Throws InputError if another process holds the lock, if a new run
  /// would replace one without `overwrite`, or if there is no run to resume.
  RunFolder(std::filesystem::path path, bool resume, bool overwrite = false);
  /// The folder of a run that another process writes, rank 0 (engine/ranks): only reads it.
  struct OfAnother {};
  RunFolder(std::filesystem::path path, OfAnother /*tag*/)
      : path_(std::move(path)), resume_(true) {}
  /// Removes what a new run created if it failed before its first save.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  /// Throws InputError unless `path` can take a new run, or holds one to resume. Changes nothing.
  static void check(const std::filesystem::path& path, bool resume, bool overwrite = false);

  /// Whether this process writes the run; if not, functions that would write do nothing.
  bool writes() const { return lock_.get() >= 0; }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path best_model() const { return path_ / "model.safetensors"; }
  std::filesystem::path last() const { return path_ / "last"; }
  std::filesystem::path previous() const { return path_ / "previous"; }
  std::filesystem::path last_model() const { return last() / "model.safetensors"; }
  std::filesystem::path last_state() const { return last() / "state.safetensors"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }

  /// Throws InputError unless the volume has room for the files of a model of that many bytes: the
  /// best model and the one before it, last/ and previous/ (each three times the model: weights and
  /// two moments) and the replacement of last/.
  void require_space(std::uint64_t model_bytes) const;
  /// Starts the run: deletes an earlier run that it replaces and writes config.json and
  /// provenance.json.
  void begin(const std::string& config, const std::string& provenance);

  /// Replaces last/ with the folder that `write` fills; what was in last/ is then in previous/.
  void replace_last(const std::function<void(const std::filesystem::path&)>& write) const;
  /// Keeps the best model in previous/, before it is replaced by one that previous/ does not know.
  void keep_best_for_previous() const;
  /// Goes back to previous/: it becomes last/, with the best model of that moment, and last/
  /// becomes last.damaged/.
  void step_back() const;

  /// Appends a line to metrics.jsonl and syncs the file.
  void append_metrics(const std::string& line) const;
  /// Throws InputError unless metrics.jsonl begins with the lines of the epochs in [first, end).
  void check_metrics(std::int64_t first, std::int64_t end) const;
  /// Calls check_metrics() and truncates the file after those lines.
  void keep_metrics(std::int64_t first, std::int64_t end) const;

 private:
  void repair_last() const;
  /// Makes a folder that was last/ the previous one.
  void make_previous(const std::filesystem::path& folder) const;
  /// Puts back the best model that keep_best_for_previous() kept in what is now last/.
  void take_kept_best() const;
  /// Content of metrics.jsonl; "" if there is none.
  std::string metrics_text() const;
  /// Offset at which the lines of those epochs end; throws InputError as check_metrics().
  std::size_t end_of_lines(const std::string& text, std::int64_t first, std::int64_t end) const;

  std::filesystem::path path_;
  bool resume_;
  bool begun_ = false;
  std::optional<MadeFolder> folder_;
  bool had_lock_ = false;
  FileDescriptor lock_;
};

}  // namespace cdt
