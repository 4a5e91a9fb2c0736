// Locks of open files: they are held until the file is closed, and go with a process that dies.
#pragma once

#include <filesystem>
#include <string>

#include "io/format/file.h"

namespace cdt {

/// Takes the file for this descriptor, without waiting: 0, EWOULDBLOCK if another one holds it, or
/// the reason why files cannot be locked here.
int try_lock(const FileDescriptor& file);

/// Does this name still belong to the open file?
bool is_linked(const FileDescriptor& file, const std::filesystem::path& path);

/// Opens, or makes, the file and locks it. InputError(its folder, "lock", busy) if another process
/// holds it; where the file system has no locks, a warning.
FileDescriptor lock_file(const std::filesystem::path& path, const std::string& busy);

}  // namespace cdt
