// A run directory (docs/formats.md): config.json, metrics.jsonl, model.safetensors (best) and last/
// with the weights and state of one moment. last/ is replaced by two renames, so a kill at any time
// leaves one complete pair of files; the next start finishes or undoes a replacement.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "io/file.h"

namespace cdt {

class RunFolder {
 public:
  /// Creates the folder if it is a new run, locks it and repairs last/. InputError if another
  /// process holds the lock, if a new run would overwrite one, or if there is none to resume.
  RunFolder(std::filesystem::path path, bool resume);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  /// InputError unless `path` can take a new run, or holds one to resume. Touches nothing.
  static void check(const std::filesystem::path& path, bool resume);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path best_model() const { return path_ / "model.safetensors"; }
  std::filesystem::path last_model() const { return path_ / "last" / "model.safetensors"; }
  std::filesystem::path last_state() const { return path_ / "last" / "state.safetensors"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }

  /// Replaces last/ by the folder that `write` fills.
  void replace_last(const std::function<void(const std::filesystem::path&)>& write) const;

  /// Adds a line to metrics.jsonl and syncs it.
  void append_metrics(const std::string& line) const;
  /// Cuts metrics.jsonl after `lines` lines; InputError if it has fewer.
  void keep_metrics(std::int64_t lines) const;

 private:
  void repair_last() const;

  std::filesystem::path path_;
  FileDescriptor lock_;
};

}  // namespace cdt
