// Checks of --out, which names a folder, or a file for a program that writes only one. No program
// overwrites what it reads, another program's output, or an earlier output without --overwrite. All
// checks precede any computation or writing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/output_kind.h"
#include "io/format/file.h"
#include "io/format/output.h"

namespace cdt {

/// A file that a program reads, and the option that named it.
struct Input {
  std::string option;
  std::filesystem::path file;
};

/// All files that a program reads. A path that was not given (empty) adds nothing.
class Inputs {
 public:
  Inputs() = default;
  /// Adds --config, --data and --model.
  explicit Inputs(const CommonOptions& common);

  void add_file(const std::string& option, const std::filesystem::path& file);
  /// Adds dataset.json, the files it names, and truth.json.
  void add_data_set(const std::string& option, const std::filesystem::path& folder);
  /// Adds the files of an output of this kind in the folder.
  void add_output(const std::string& option, const std::filesystem::path& folder,
                  const OutputKind& kind);

  const std::vector<Input>& all() const { return files_; }

 private:
  std::vector<Input> files_;
};

/// Whether the path is the folder or is in it, links resolved; either need not exist.
bool is_within(const std::filesystem::path& path, const std::filesystem::path& folder);

/// Throws InputError(target, "--out", ...) if a target is a file that is read. Files are compared
/// by device and inode, so links, "..", mounts and letter case do not matter.
void refuse_to_overwrite_inputs(const std::vector<std::filesystem::path>& targets,
                                const Inputs& inputs);

/// Checks a folder that a program of this kind is about to write to. Throws InputError if it holds
/// an output of another kind, a file that is read, an earlier output of this kind without
/// `overwrite`, other files that have the names of this kind, or something that cannot be replaced
/// (a folder where a file belongs, a file without write permission). left_behind: the files come
/// from a program that died and may be replaced.
void check_output_folder(const std::filesystem::path& folder, const OutputKind& kind,
                         bool overwrite, bool left_behind, const Inputs& inputs = {});

/// The folder that --out names: checked (check_output_folder), created if needed, and locked for
/// this process until the destructor. An earlier output is not touched. The folder meanwhile holds
/// a file ".cdt-unfinished"; if a program is killed or the power fails, this marks what it left as
/// no output, so that temporaries are removed and files may be replaced.
///
/// The destructor removes a folder created here if it is still empty, so that a program that fails
/// leaves nothing behind.
class OutputFolder {
 public:
  /// Throws InputError as check_output_folder(), if another program is writing to the folder, and
  /// if it cannot be created or written to.
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

/// A single output file. `kind` ("a report") is recognised by `word`, which every such file
/// contains. Creates the parent folder, checks as OutputFolder does, and removes temporaries of the
/// file.
class OutputFile {
 public:
  /// part: name of a file of a data set that this program may write into one; "": none.
  OutputFile(const char* kind, const char* word, const CommonOptions& options, const Inputs& inputs,
             const char* part = "");

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  std::filesystem::path path_;
  MadeFolder folder_;
};

}  // namespace cdt
