#include "tests/torture/call.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

/// Positions of a call's arguments; -1: it has none.
struct Row {
  long number;
  const char* name;
  Kind kind;
  int file;        // descriptor
  int path;        // a path,
  int folder;      // and the descriptor of the folder it is relative to
  int other = -1;  // as these, of a second path
  int beside = -1;
};

constexpr std::array kRows{
    Row{SYS_open, "open", Kind::kOpen, -1, 0, -1},
    Row{SYS_openat, "openat", Kind::kOpen, -1, 1, 0},
    Row{SYS_creat, "creat", Kind::kCreate, -1, 0, -1},
    Row{SYS_read, "read", Kind::kRead, 0, -1, -1},
    Row{SYS_pread64, "pread64", Kind::kRead, 0, -1, -1},
    Row{SYS_readv, "readv", Kind::kRead, 0, -1, -1},
    Row{SYS_preadv, "preadv", Kind::kRead, 0, -1, -1},
    Row{SYS_write, "write", Kind::kWrite, 0, -1, -1},
    Row{SYS_pwrite64, "pwrite64", Kind::kWrite, 0, -1, -1},
    Row{SYS_writev, "writev", Kind::kWrite, 0, -1, -1},
    Row{SYS_pwritev, "pwritev", Kind::kWrite, 0, -1, -1},
    Row{SYS_copy_file_range, "copy_file_range", Kind::kWrite, 2, -1, -1},
    Row{SYS_sendfile, "sendfile", Kind::kWrite, 0, -1, -1},
    Row{SYS_fsync, "fsync", Kind::kSync, 0, -1, -1},
    Row{SYS_fdatasync, "fdatasync", Kind::kSync, 0, -1, -1},
    Row{SYS_sync_file_range, "sync_file_range", Kind::kSync, 0, -1, -1},
    Row{SYS_ftruncate, "ftruncate", Kind::kCreate, 0, -1, -1},
    Row{SYS_truncate, "truncate", Kind::kCreate, -1, 0, -1},
    Row{SYS_fallocate, "fallocate", Kind::kCreate, 0, -1, -1},
    Row{SYS_fchmod, "fchmod", Kind::kCreate, 0, -1, -1},
    Row{SYS_rename, "rename", Kind::kRename, -1, 0, -1, 1, -1},
    Row{SYS_renameat, "renameat", Kind::kRename, -1, 1, 0, 3, 2},
    Row{SYS_renameat2, "renameat2", Kind::kRename, -1, 1, 0, 3, 2},
    Row{SYS_link, "link", Kind::kCreate, -1, 0, -1, 1, -1},
    Row{SYS_linkat, "linkat", Kind::kCreate, -1, 1, 0, 3, 2},
    Row{SYS_symlink, "symlink", Kind::kCreate, -1, 1, -1},
    Row{SYS_symlinkat, "symlinkat", Kind::kCreate, -1, 2, 1},
    Row{SYS_unlink, "unlink", Kind::kRemove, -1, 0, -1},
    Row{SYS_unlinkat, "unlinkat", Kind::kRemove, -1, 1, 0},
    Row{SYS_rmdir, "rmdir", Kind::kRemove, -1, 0, -1},
    Row{SYS_mkdir, "mkdir", Kind::kCreate, -1, 0, -1},
    Row{SYS_mkdirat, "mkdirat", Kind::kCreate, -1, 1, 0},
    Row{SYS_close, "close", Kind::kClose, 0, -1, -1},
    Row{SYS_stat, "stat", Kind::kLook, -1, 0, -1},
    Row{SYS_lstat, "lstat", Kind::kLook, -1, 0, -1},
    Row{SYS_fstat, "fstat", Kind::kLook, 0, -1, -1},
    Row{SYS_newfstatat, "newfstatat", Kind::kLook, -1, 1, 0},
    Row{SYS_statx, "statx", Kind::kLook, -1, 1, 0},
    Row{SYS_access, "access", Kind::kLook, -1, 0, -1},
    Row{SYS_faccessat, "faccessat", Kind::kLook, -1, 1, 0},
    Row{SYS_faccessat2, "faccessat2", Kind::kLook, -1, 1, 0},
    Row{SYS_readlink, "readlink", Kind::kLook, -1, 0, -1},
    Row{SYS_getdents64, "getdents64", Kind::kLook, 0, -1, -1},
    Row{SYS_statfs, "statfs", Kind::kLook, -1, 0, -1},
    Row{SYS_fstatfs, "fstatfs", Kind::kLook, 0, -1, -1},
    Row{SYS_flock, "flock", Kind::kLook, 0, -1, -1},
    Row{SYS_mmap, "mmap", Kind::kMap, 4, -1, -1},
};

/// A text of the traced program; read up to the end of each page, because the next may be missing.
std::string text_at(pid_t thread, std::uint64_t address) {
  constexpr std::uint64_t kPage = 4096;
  std::string out;
  while (out.size() < kPage) {
    std::array<char, kPage> piece{};
    const std::size_t size = kPage - address % kPage;
    iovec to{piece.data(), size};
    iovec from{reinterpret_cast<void*>(address), size};  // NOLINT(performance-no-int-to-ptr)
    const ssize_t n = process_vm_readv(thread, &to, 1, &from, 1, 0);
    if (n <= 0) break;
    const char* end = std::find(piece.data(), piece.data() + n, '\0');
    out.append(static_cast<const char*>(piece.data()), end);
    if (end != piece.data() + n) break;
    address += size;
  }
  return out;
}

std::string of_thread(pid_t thread, const std::string& what) {
  std::error_code error;
  std::string path =
      fs::read_symlink("/proc/" + std::to_string(thread) + "/" + what, error).string();
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

/// The path in the argument `at`; an empty one (AT_EMPTY_PATH) is the folder's descriptor.
std::string path_of(const Call& call, int at, int folder) {
  const auto& arguments = call.arguments;
  const std::string text = text_at(call.thread, arguments[static_cast<std::size_t>(at)]);
  if (!text.empty() && text.front() == '/') return fs::path(text).lexically_normal().string();
  const int base =
      folder < 0 ? AT_FDCWD : static_cast<int>(arguments[static_cast<std::size_t>(folder)]);
  const std::string start =
      of_thread(call.thread, base == AT_FDCWD ? "cwd" : "fd/" + std::to_string(base));
  return text.empty() ? start : (fs::path(start) / text).lexically_normal().string();
}

bool opens_for_writing(const Call& call) {
  const std::size_t at = call.number == SYS_openat ? 2 : 1;
  const auto flags = static_cast<int>(call.arguments[at]);
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

}  // namespace

std::span<const long> file_calls() {
  static const std::vector<long> numbers = [] {
    std::vector<long> out;
    for (const Row& row : kRows) out.push_back(row.number);
    return out;
  }();
  return numbers;
}

Call describe(pid_t thread, long number,
              const std::array<std::uint64_t, kCallArguments>& arguments) {
  Call call;
  call.thread = thread;
  call.number = number;
  call.arguments = arguments;
  const auto* row = std::find_if(kRows.begin(), kRows.end(),
                                 [&](const Row& each) { return each.number == number; });
  call.listed = row != kRows.end();
  if (!call.listed) return call;
  call.name = row->name;
  call.kind = row->kind;
  if (row->file >= 0) {
    call.file = static_cast<int>(arguments[static_cast<std::size_t>(row->file)]);
    if (call.file >= 0) call.path = of_thread(thread, "fd/" + std::to_string(call.file));
  } else {
    call.path = path_of(call, row->path, row->folder);
  }
  if (row->other >= 0) call.other = path_of(call, row->other, row->beside);
  if (call.kind == Kind::kOpen && opens_for_writing(call)) call.kind = Kind::kCreate;
  return call;
}

bool changes_files(Kind kind) {
  return kind == Kind::kCreate || kind == Kind::kWrite || kind == Kind::kSync ||
         kind == Kind::kRename || kind == Kind::kRemove;
}

}  // namespace cdt::test
