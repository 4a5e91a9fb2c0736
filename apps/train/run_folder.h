// A run directory (docs/formats.md): config.json, metrics.jsonl, model.safetensors (best) and last/
// with the weights and state of one moment. last/ is replaced in one step where the file system can
// exchange two names, else by two renames; either way a kill leaves one complete pair of files, and
// the next start finishes or undoes a replacement.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "apps/common/output_folder.h"
#include "io/format/file.h"
#include "io/format/output.h"

namespace cdt {

class RunFolder {
 public:
  /// Creates the folder if it is a new run, locks it, repairs last/ and sweeps temporaries. An
  /// earlier run stays until begin(). InputError if another process holds the lock, if a new run
  /// would replace one without `overwrite`, or if there is none to resume.
  RunFolder(std::filesystem::path path, bool resume, bool overwrite = false);
  /// Takes away what a new run that failed before its first save has made.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  /// InputError unless `path` can take a new run, or holds one to resume. Touches nothing.
  static void check(const std::filesystem::path& path, bool resume, bool overwrite = false);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path best_model() const { return path_ / "model.safetensors"; }
  std::filesystem::path last_model() const { return path_ / "last" / "model.safetensors"; }
  std::filesystem::path last_state() const { return path_ / "last" / "state.safetensors"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }

  /// InputError unless the volume has room for the files of a model of that many bytes: the best
  /// model, last/ (thrice the model: weights and two moments) and the one that takes its place.
  void require_space(std::uint64_t model_bytes) const;
  /// The run can start: an earlier one that is replaced goes, and this one's config.json is
  /// written.
  void begin(const std::string& config);

  /// Replaces last/ by the folder that `write` fills.
  void replace_last(const std::function<void(const std::filesystem::path&)>& write) const;

  /// Adds a line to metrics.jsonl and syncs it.
  void append_metrics(const std::string& line) const;
  /// InputError unless metrics.jsonl begins with the lines of the epochs from `first` until before
  /// `end`.
  void check_metrics(std::int64_t first, std::int64_t end) const;
  /// check_metrics(), and cuts the file after those lines.
  void keep_metrics(std::int64_t first, std::int64_t end) const;

 private:
  void repair_last() const;
  /// metrics.jsonl, "" if there is none.
  std::string metrics_text() const;
  /// Where the lines of those epochs end; InputError as check_metrics().
  std::size_t end_of_lines(const std::string& text, std::int64_t first, std::int64_t end) const;

  std::filesystem::path path_;
  bool resume_;
  bool begun_ = false;
  std::optional<MadeFolder> folder_;
  bool had_lock_ = false;
  FileDescriptor lock_;
};

}  // namespace cdt
