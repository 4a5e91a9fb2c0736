#include "apps/common/output_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/dataset/manifest.h"
#include "io/format/file.h"
#include "io/format/output.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, const std::string& what) {
  throw InputError(path.string(), "--out", what);
}

constexpr const char* kInUse = "another program is writing to this folder";

using Identity = std::pair<dev_t, ino_t>;

/// Reads device and inode of the file that the path leads to; false if there is none.
bool identify(const fs::path& path, Identity* identity) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  *identity = {info.st_dev, info.st_ino};
  return true;
}

/// Whether `name` is one of the files and folders of this kind.
bool has_name(const OutputKind& kind, const std::string& name) {
  const auto is_name = [&](const char* own) { return name == own; };
  return std::any_of(kind.files.begin(), kind.files.end(), is_name) ||
         std::any_of(kind.folders.begin(), kind.folders.end(), is_name);
}

void expect_writable(const fs::path& file) {
  if (::access(file.c_str(), W_OK) != 0) {
    throw InputError(file.string(), "write", system_message(errno));
  }
}

/// Throws InputError if a file or folder at this path would become part of another program's
/// output, that is, if the path passes through one of that output's files or folders. part: name of
/// a file of a data set that is permitted.
void refuse_place_in_output(const fs::path& out, const std::string& part) {
  std::error_code error;
  const fs::path place = fs::weakly_canonical(fs::absolute(out, error), error);
  if (error) return;
  for (fs::path at = place; at.has_relative_path(); at = at.parent_path()) {
    for (const OutputKind* kind : all_output_kinds()) {
      if (!has_name(*kind, at.filename().string()) || !kind->is_in(at.parent_path())) continue;
      if (kind == &kDataSetOutput && at == place && place.filename() == part) continue;
      refuse(out, "belongs to " + std::string(kind->name) + ", " + at.parent_path().string() +
                      "; write somewhere else");
    }
  }
}

/// Checks before the work, not after it, that existing files can be replaced.
void check_replaceable(const fs::path& folder, const OutputKind& kind) {
  std::error_code error;
  for (const char* name : kind.folders) {
    const fs::path part = folder / name;
    if (fs::exists(part, error) && !fs::is_directory(part, error)) {
      refuse(part, "is not a folder, and a folder of this name will be written");
    }
  }
  for (const fs::path& file : existing_files(folder, kind)) {
    if (!fs::exists(file, error)) continue;
    if (!fs::is_regular_file(file, error)) {
      refuse(file, "is not a regular file, and a file of this name will be written");
    }
    expect_writable(file);
  }
}

fs::path unfinished_file(const fs::path& folder) { return folder / ".cdt-unfinished"; }

/// Whether another process is writing to the folder.
bool is_in_use(const fs::path& folder) {
  const FileDescriptor mark(
      ::open(unfinished_file(folder).c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return mark.get() >= 0 && try_lock(mark) == EWOULDBLOCK;
}

void write_mark(const FileDescriptor& mark, const fs::path& folder, const std::string& text) {
  bool good = ::ftruncate(mark.get(), 0) == 0;
  for (std::size_t done = 0; good && done < text.size();) {
    const ssize_t n =
        ::pwrite(mark.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n > 0) done += static_cast<std::size_t>(n);
    good = n > 0 || errno == EINTR;
  }
  if (!good) throw InputError(folder.string(), "write", system_message(errno));
}

/// Whether a program died while it renamed files of this kind into place.
bool is_left_behind(const fs::path& folder, const OutputKind& kind) {
  return file_contains(unfinished_file(folder), kind.name) && !has_sign(folder, kind);
}

/// Whether the folder holds files of this kind, as far as it can be read.
bool may_hold_files(const fs::path& folder, const OutputKind& kind) {
  try {
    return !existing_files(folder, kind).empty();
  } catch (const InputError&) {
    return true;
  }
}

fs::path checked_folder(const OutputKind& kind, const CommonOptions& options,
                        const Inputs& inputs) {
  try {
    check_output_folder(options.out, kind, options.overwrite, is_left_behind(options.out, kind),
                        inputs);
  } catch (const InputError&) {
    // Files that another program is just writing are not in the way.
    if (is_in_use(options.out)) throw InputError(options.out.string(), "lock", kInUse);
    throw;
  }
  return options.out;
}

fs::path checked_file(const char* kind, const char* word, const CommonOptions& options,
                      const Inputs& inputs, const char* part) {
  const fs::path& out = options.out;
  std::error_code error;
  if (!out.has_filename() || fs::is_directory(out, error)) refuse(out, "is a folder; name a file");
  if (fs::is_symlink(fs::symlink_status(out, error)) && !fs::exists(out, error)) {
    refuse(out, "is a link to " + fs::read_symlink(out, error).string() + ", which does not exist");
  }
  refuse_to_overwrite_inputs({out}, inputs);
  refuse_place_in_output(out, part);
  if (!is_there(out)) return out;
  if (!file_contains(out, word)) {
    refuse(out, "exists and is not " + std::string(kind) + "; name another file");
  }
  if (!options.overwrite) {
    refuse(out, "already holds " + std::string(kind) + "; --overwrite replaces it");
  }
  expect_writable(out);
  return out;
}

}  // namespace

Inputs::Inputs(const CommonOptions& common) {
  add_file("--config", common.config);
  add_data_set("--data", common.data);
  add_file("--model", common.model);
}

void Inputs::add_file(const std::string& option, const fs::path& file) {
  if (!file.empty()) files_.push_back({option, file});
}

void Inputs::add_data_set(const std::string& option, const fs::path& folder) {
  if (folder.empty()) return;
  add_file(option, folder / "dataset.json");
  add_file(option, folder / "truth.json");
  try {
    const Manifest manifest = read_manifest(folder / "dataset.json");
    for (const std::string& name :
         {manifest.dna_file, manifest.rna_file, manifest.rna_genes, manifest.protein_file,
          manifest.protein_genes, manifest.enhancers_file, manifest.pairs_file,
          manifest.gene_starts_file}) {
      if (!name.empty()) add_file(option, folder / name);
    }
    if (manifest.samples > 0) add_file(option, folder / manifest.rna_samples);
    if (manifest.has_dna_gene) add_file(option, folder / manifest.dna_gene_file);
  } catch (
      const InputError&) {  // NOLINT(bugprone-empty-catch): reported by whoever reads the data set
  }
}

void Inputs::add_output(const std::string& option, const fs::path& folder, const OutputKind& kind) {
  if (folder.empty()) return;
  for (const fs::path& file : existing_files(folder, kind)) add_file(option, file);
}

bool is_within(const fs::path& path, const fs::path& folder) {
  const auto place = [](const fs::path& of) {
    std::error_code error;
    const fs::path out = fs::weakly_canonical(fs::absolute(of, error), error);
    return out.has_filename() ? out : out.parent_path();  // without a trailing slash
  };
  const fs::path whole = place(folder);
  for (fs::path at = place(path); at.has_relative_path(); at = at.parent_path()) {
    if (at == whole) return true;
  }
  return false;
}

void refuse_to_overwrite_inputs(const std::vector<fs::path>& targets, const Inputs& inputs) {
  std::vector<std::pair<Identity, const Input*>> read;
  Identity identity;
  for (const Input& input : inputs.all()) {
    if (identify(input.file, &identity)) read.emplace_back(identity, &input);
  }
  for (const fs::path& target : targets) {
    if (!identify(target, &identity)) continue;
    const auto same = std::find_if(read.begin(), read.end(),
                                   [&](const auto& entry) { return entry.first == identity; });
    if (same == read.end()) continue;
    refuse(target, "would overwrite what " + same->second->option + " reads (" +
                       same->second->file.string() + "); write somewhere else");
  }
}

void check_output_folder(const fs::path& folder, const OutputKind& kind, bool overwrite,
                         bool left_behind, const Inputs& inputs) {
  refuse_place_in_output(folder, "");
  for (const OutputKind* other : all_output_kinds()) {
    if (other != &kind && other->is_in(folder)) {
      refuse(folder, "holds " + std::string(other->name) + "; name another folder");
    }
  }
  const std::vector<fs::path> existing = existing_files(folder, kind);
  refuse_to_overwrite_inputs(existing, inputs);
  if (kind.is_in(folder) && !overwrite) {
    refuse(folder, "already holds " + std::string(kind.name) + "; --overwrite replaces it");
  }
  if (!existing.empty() && !left_behind && !has_sign(folder, kind)) {
    refuse(existing.front(),
           "is in the way and not of " + std::string(kind.name) + "; name another folder");
  }
  check_replaceable(folder, kind);
}

OutputFolder::OutputFolder(const OutputKind& kind, const CommonOptions& options,
                           const Inputs& inputs)
    : kind_(kind), folder_(checked_folder(kind, options, inputs)) {
  const bool left_behind = is_left_behind(path(), kind);
  unfinished_ = lock_file(unfinished_file(path()), kInUse);
  try {
    // Another program may have finished between the first check and the lock.
    check_output_folder(path(), kind, options.overwrite, left_behind);
    write_mark(unfinished_, path(), std::string(kind.name) + "\n");
    sync_to_disk(unfinished_, unfinished_file(path()));
    sync_folder(path());
  } catch (...) {
    leave();
    throw;
  }
  sweep_temporaries(path());
  for (const char* name : kind.folders) sweep_temporaries(path() / name);
}

OutputFolder::~OutputFolder() { leave(); }

void OutputFolder::leave() const {
  const bool torn = !has_sign(path(), kind_) && may_hold_files(path(), kind_);
  if (!torn) ::unlink(unfinished_file(path()).c_str());
}

OutputFile::OutputFile(const char* kind, const char* word, const CommonOptions& options,
                       const Inputs& inputs, const char* part)
    : path_(checked_file(kind, word, options, inputs, part)),
      folder_(path_.has_parent_path() ? path_.parent_path() : fs::path(".")) {
  sweep_temporaries(folder_.path(), path_.filename().string());
}

}  // namespace cdt
