// The folder that --out names, and the file where a program writes one only.
#pragma once

#include <filesystem>
#include <string>

#include "apps/common/output_guard.h"
#include "io/format/file.h"
#include "io/format/output.h"

namespace cdt {

/// Checks the folder (output_guard.h), makes it if needed, and takes it for this process until the
/// destructor; of an earlier output nothing is touched. What a program that was killed left there
/// is no output: its temporaries are swept, its files may be replaced. The file ".cdt-unfinished"
/// tells, which stands there in the meantime.
///
/// The destructor takes a folder made here away again if it is still empty: a program that fails
/// leaves nothing.
class OutputFolder {
 public:
  /// InputError: see output_guard.h; another program is writing to the folder; it cannot be made or
  /// written to.
  OutputFolder(const OutputKind& kind, const CommonOptions& options, const Inputs& inputs);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  void leave() const;

  const OutputKind& kind_;
  MadeFolder folder_;
  FileDescriptor unfinished_;
};

/// A single file: `kind` ("a report") is told by `word`, which stands in every such file. Makes the
/// parent folder; checks as OutputFolder does, and sweeps what was left of the file.
class OutputFile {
 public:
  OutputFile(const char* kind, const char* word, const CommonOptions& options,
             const Inputs& inputs);

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  std::filesystem::path path_;
  MadeFolder folder_;
};

}  // namespace cdt
