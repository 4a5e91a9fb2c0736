#include "io/format/made_folder.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/format/file.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

/// "a/b/" names what "a/b" names, but asked about the former the system follows a link.
fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

void refuse_link_to_nothing(const fs::path& directory) {
  for (fs::path at = without_slash(directory); !at.empty() && at != at.parent_path();
       at = at.parent_path()) {
    std::error_code error;
    if (!fs::is_symlink(fs::symlink_status(at, error)) || fs::exists(at, error)) continue;
    throw InputError(
        at.string(), "create",
        "is a link to " + fs::read_symlink(at, error).string() + ", which does not exist");
  }
}

}  // namespace

void create_output_directory(const fs::path& directory) {
  refuse_link_to_nothing(directory);
  std::error_code error;
  fs::create_directories(directory, error);
  if (!error && !fs::is_directory(directory, error)) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (error) throw InputError(directory.string(), "create", system_message(error.value()));
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    throw InputError(directory.string(), "write", system_message(errno));
  }
}

MadeFolder::MadeFolder(fs::path directory) : path_(std::move(directory)) {
  for (fs::path at = without_slash(path_); !at.empty() && !is_there(at); at = at.parent_path()) {
    made_.push_back(at);
  }
  try {
    create_output_directory(path_);
  } catch (const InputError&) {
    remove_empty();
    throw;
  }
}

MadeFolder::~MadeFolder() { remove_empty(); }

void MadeFolder::remove_empty() const {
  for (const fs::path& folder : made_) ::rmdir(folder.c_str());
}

std::uint64_t free_space(const fs::path& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) {
    throw InputError(directory.string(), "free space", system_message(errno));
  }
  if (info.f_blocks == 0) return std::numeric_limits<std::uint64_t>::max();  // it does not tell
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

void require_free_space(const fs::path& directory, std::uint64_t bytes) {
  const std::uint64_t free = free_space(directory);
  if (free >= bytes) return;
  throw InputError(directory.string(), "free space",
                   expected_got("the volume is too full", std::to_string(bytes) + " bytes",
                                std::to_string(free)));
}

}  // namespace cdt
