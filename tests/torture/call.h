// System calls of a traced program that touch files: what they do and to which path.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace cdt::test {

enum class Kind : std::uint8_t {
  kLook,    // status, access, listing of a folder, lock
  kOpen,    // open for reading
  kRead,    // read
  kCreate,  // open for writing, folder, link, change of size
  kWrite,   // write
  kSync,    // fsync
  kRename,  // rename or exchange of two names
  kRemove,  // unlink, rmdir
  kClose,   // close
  kMap,     // mmap of a file
};

constexpr std::size_t kCallArguments = 6;

struct Call {
  pid_t thread = 0;
  long number = 0;  // SYS_...
  std::array<std::uint64_t, kCallArguments> arguments{};
  std::string name;
  Kind kind = Kind::kLook;
  int file = -1;      // descriptor, or -1 for a call that takes a path
  std::string path;   // absolute; of a descriptor, that of its file
  std::string other;  // second path of a rename or link
  bool listed = true;
};

/// The numbers of the calls that describe() knows.
std::span<const long> file_calls();

/// Describes a call that a stopped thread is about to make. `listed` is false for a call that is
/// not one of file_calls().
Call describe(pid_t thread, long number,
              const std::array<std::uint64_t, kCallArguments>& arguments);

/// Changes files, or is about to.
bool changes_files(Kind kind);

}  // namespace cdt::test
