#include "apps/common/output_folder.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/output.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

fs::path unfinished_file(const fs::path& folder) { return folder / ".cdt-unfinished"; }

/// Did a program die while it brought files of this kind to their names?
bool is_left_behind(const fs::path& folder, const OutputKind& kind) {
  return file_contains(unfinished_file(folder), kind.name) && !has_sign(folder, kind);
}

fs::path checked_folder(const OutputKind& kind, const CommonOptions& options,
                        const Inputs& inputs) {
  check_output_folder(options.out, kind, options.overwrite, is_left_behind(options.out, kind),
                      inputs);
  return options.out;
}

fs::path checked_file(const char* kind, const char* word, const CommonOptions& options,
                      const Inputs& inputs) {
  const fs::path& out = options.out;
  const auto refuse = [&](const std::string& what) {
    throw InputError(out.string(), "--out", what);
  };
  std::error_code error;
  if (!out.has_filename() || fs::is_directory(out, error)) refuse("is a folder; name a file");
  if (fs::is_symlink(fs::symlink_status(out, error)) && !fs::exists(out, error)) {
    refuse("is a link to " + fs::read_symlink(out, error).string() + ", which does not exist");
  }
  refuse_to_overwrite_inputs({out}, inputs);
  refuse_place_in_output(out);
  if (!fs::exists(out, error)) return out;
  if (!file_contains(out, word)) {
    refuse("exists and is not " + std::string(kind) + "; name another file");
  }
  if (!options.overwrite) {
    refuse("already holds " + std::string(kind) + "; --overwrite replaces it");
  }
  if (::access(out.c_str(), W_OK) != 0) {
    throw InputError(out.string(), "write", system_message(errno));
  }
  return out;
}

}  // namespace

OutputFolder::OutputFolder(const OutputKind& kind, const CommonOptions& options,
                           const Inputs& inputs)
    : kind_(kind), folder_(checked_folder(kind, options, inputs)) {
  const bool left_behind = is_left_behind(path(), kind);
  unfinished_ = lock_file(unfinished_file(path()), "another program is writing to this folder");
  try {
    // Another one may have finished between the first check and the lock.
    check_output_folder(path(), kind, options.overwrite, left_behind);
    const std::string text = std::string(kind.name) + "\n";
    if (::ftruncate(unfinished_.get(), 0) != 0 ||
        ::pwrite(unfinished_.get(), text.data(), text.size(), 0) < 0) {
      throw InputError(path().string(), "write", system_message(errno));
    }
  } catch (...) {
    leave();
    throw;
  }
  sweep_temporaries(path());
  for (const char* name : kind.folders) sweep_temporaries(path() / name);
}

OutputFolder::~OutputFolder() { leave(); }

void OutputFolder::leave() const {
  const bool torn = !existing_files(path(), kind_).empty() && !has_sign(path(), kind_);
  if (!torn) ::unlink(unfinished_file(path()).c_str());
}

OutputFile::OutputFile(const char* kind, const char* word, const CommonOptions& options,
                       const Inputs& inputs)
    : path_(checked_file(kind, word, options, inputs)),
      folder_(path_.has_parent_path() ? path_.parent_path() : fs::path(".")) {
  sweep_temporaries(folder_.path(), path_.filename().string());
}

}  // namespace cdt
