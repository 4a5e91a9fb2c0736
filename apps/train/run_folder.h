// A run directory (docs/formats.md): config.json, provenance.json, metrics.jsonl, model.safetensors
// (the best model) and last/ with weights and state of the same moment. last/ is replaced in one
// step if the file system can swap two names, otherwise by two renames. Either way a kill leaves
// one complete pair of files, and the next start completes or undoes the replacement.
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
  std::filesystem::path last_model() const { return path_ / "last" / "model.safetensors"; }
  std::filesystem::path last_state() const { return path_ / "last" / "state.safetensors"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }

  /// Throws InputError unless the volume has room for the files of a model of that many bytes: the
  /// best model, last/ (three times the model: weights and two moments) and the replacement of
  /// last/.
  void require_space(std::uint64_t model_bytes) const;
  /// Starts the run: deletes an earlier run that it replaces and writes config.json and
  /// provenance.json.
  void begin(const std::string& config, const std::string& provenance);

  /// Replaces last/ with the folder that `write` fills.
  void replace_last(const std::function<void(const std::filesystem::path&)>& write) const;

  /// Appends a line to metrics.jsonl and syncs the file.
  void append_metrics(const std::string& line) const;
  /// Throws InputError unless metrics.jsonl begins with the lines of the epochs in [first, end).
  void check_metrics(std::int64_t first, std::int64_t end) const;
  /// Calls check_metrics() and truncates the file after those lines.
  void keep_metrics(std::int64_t first, std::int64_t end) const;

 private:
  void repair_last() const;
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
