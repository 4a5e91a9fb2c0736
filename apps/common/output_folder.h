// Where --out points: a folder, or the file of a program that writes only one. No program writes
// over what it reads, over another program's work, or over an earlier output that it was not told
// to replace. All of it is checked before anything is computed or written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/output_kind.h"
#include "io/format/file.h"
#include "io/format/output.h"

namespace cdt {

/// A file that a program reads, and the option that says so.
struct Input {
  std::string option;
  std::filesystem::path file;
};

/// All that a program reads. A path that was not given (empty) adds nothing.
class Inputs {
 public:
  Inputs() = default;
  /// --config, --data and --model.
  explicit Inputs(const CommonOptions& common);

  void add_file(const std::string& option, const std::filesystem::path& file);
  /// dataset.json and what it names, and truth.json.
  void add_data_set(const std::string& option, const std::filesystem::path& folder);
  /// The files of an output of this kind in the folder.
  void add_output(const std::string& option, const std::filesystem::path& folder,
                  const OutputKind& kind);

  const std::vector<Input>& all() const { return files_; }

 private:
  std::vector<Input> files_;
};

/// InputError(target, "--out", ...) if one of the targets is a file that is read, by device and
/// inode: whatever links, "..", mounts or letter case lead to it.
void refuse_to_overwrite_inputs(const std::vector<std::filesystem::path>& targets,
                                const Inputs& inputs);

/// A folder that a program of this kind is about to write to. InputError if it holds an output of
/// another kind, what is read, an earlier one of this kind unless `overwrite`, files of its names
/// that are no such output, or what cannot be replaced (a folder in a file's place, a file without
/// write permission). left_behind: a program that died left these files; they count for
/// nothing.
void check_output_folder(const std::filesystem::path& folder, const OutputKind& kind,
                         bool overwrite, bool left_behind, const Inputs& inputs = {});

/// The folder that --out names: checked (check_output_folder), made if needed, and taken for this
/// process until the destructor; of an earlier output nothing is touched. Until then it holds a
/// file
/// ".cdt-unfinished", which tells what a killed program left: that is no output, so temporaries are
/// swept and files may be replaced.
///
/// The destructor removes a folder made here if it is still empty: a program that fails leaves
/// nothing.
class OutputFolder {
 public:
  /// InputError: see check_output_folder(); another program is writing to the folder; it cannot be
  /// made or written to.
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

/// A single file: `kind` ("a report") is told by `word`, which every such file holds. Makes the
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
