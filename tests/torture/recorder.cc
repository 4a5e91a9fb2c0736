#include "tests/torture/recorder.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

std::string descriptor(const Call& call, int file, const char* what = "fd") {
  return "/proc/" + std::to_string(call.thread) + "/" + what + "/" + std::to_string(file);
}

struct stat status_of(const std::string& path, bool follow) {
  struct stat info {};
  if ((follow ? stat(path.c_str(), &info) : lstat(path.c_str(), &info)) != 0) {
    throw std::runtime_error(path + ": was there and is gone");
  }
  return info;
}

std::uint64_t inode_of(const Call& call) {
  return status_of(descriptor(call, call.file), true).st_ino;
}

/// Where the next write() to a descriptor goes.
std::uint64_t offset_of(const Call& call) {
  std::istringstream text(bytes_of(descriptor(call, call.file, "fdinfo")));
  std::string word;
  std::uint64_t offset = 0, flags = 0;
  while (text >> word) {
    if (word == "pos:") text >> offset;
    if (word == "flags:") text >> std::oct >> flags >> std::dec;
  }
  if ((flags & O_APPEND) == 0) return offset;
  return static_cast<std::uint64_t>(status_of(descriptor(call, call.file), true).st_size);
}

std::string bytes_at(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  return bytes_of(path).substr(offset, size);
}

}  // namespace

Recorder::Recorder(std::string folder, std::function<void(const Call&)> changed)
    : folder_(std::move(folder)), changed_(std::move(changed)), disk_(folder_) {
  disk_.made(folder_, Node::Type::kFolder, status_of(folder_, false).st_ino);
  std::vector<std::uint64_t> inodes;
  for (const auto& [name, node] : read_tree(folder_)) {
    const std::string path = folder_ + "/" + name;
    const std::uint64_t inode = status_of(path, false).st_ino;
    disk_.made(path, node.type, inode, node.content);
    inodes.push_back(inode);
  }
  for (const std::uint64_t inode : inodes) disk_.flushed(inode);
  disk_.flushed(status_of(folder_, false).st_ino);
}

Tracer Recorder::tracer() {
  return {.enter =
              [this](const Call& call) {
                if (concerns(call)) before(call);
                return Action{};
              },
          .leave =
              [this](const Call& call, std::int64_t result) {
                if (result < 0 || !concerns(call)) return;
                after(call, result);
                changed_(call);
              }};
}

bool Recorder::concerns(const Call& call) const {
  const auto below = [&](const std::string& path) {
    return path == folder_ || path.starts_with(folder_ + "/");
  };
  if (call.kind == Kind::kMap && below(call.path)) {
    throw std::runtime_error(call.path + ": is mapped, which is not followed");
  }
  return changes_files(call.kind) && (below(call.path) || below(call.other));
}

void Recorder::before(const Call& call) {
  if (call.kind != Kind::kWrite) return;
  const bool placed = call.number == SYS_pwrite64 || call.number == SYS_pwritev;
  offsets_[call.thread] = placed ? call.arguments[3] : offset_of(call);
}

void Recorder::after(const Call& call, std::int64_t result) {
  switch (call.kind) {
    case Kind::kWrite:
      return wrote(call, result);
    case Kind::kSync:
      return disk_.flushed(inode_of(call));
    case Kind::kRemove:
      return disk_.removed(call.path);
    case Kind::kRename:
      if (call.number == SYS_renameat2 && (call.arguments[4] & RENAME_EXCHANGE) != 0) {
        return disk_.exchanged(call.path, call.other);
      }
      return disk_.moved(call.path, call.other);
    default:
      break;
  }
  if (call.number == SYS_ftruncate) return disk_.resized(inode_of(call), call.arguments[1]);
  if (call.number == SYS_open || call.number == SYS_openat || call.number == SYS_creat) {
    return opened(call, static_cast<int>(result));
  }
  named(call);
}

void Recorder::opened(const Call& call, int file) {
  const struct stat info = status_of(descriptor(call, file), true);
  if (!disk_.has(call.path)) disk_.made(call.path, Node::Type::kFile, info.st_ino);
  disk_.resized(info.st_ino, static_cast<std::uint64_t>(info.st_size));  // by O_TRUNC
}

void Recorder::wrote(const Call& call, std::int64_t bytes) {
  const std::uint64_t offset = offsets_.at(call.thread);
  disk_.wrote(inode_of(call), offset,
              bytes_at(descriptor(call, call.file), offset, static_cast<std::uint64_t>(bytes)));
}

/// A folder or a link was made.
void Recorder::named(const Call& call) {
  const bool folder = call.number == SYS_mkdir || call.number == SYS_mkdirat;
  const bool hard = call.number == SYS_link || call.number == SYS_linkat;
  const bool soft = call.number == SYS_symlink || call.number == SYS_symlinkat;
  if (!folder && !hard && !soft) throw std::runtime_error(call.name + ": is not followed");
  const std::string& path = hard ? call.other : call.path;
  const std::uint64_t inode = status_of(path, false).st_ino;
  if (folder) return disk_.made(path, Node::Type::kFolder, inode);
  if (soft) return disk_.made(path, Node::Type::kLink, inode, fs::read_symlink(path).string());
  if (disk_.knows(inode)) return disk_.linked(inode, path);
  // A file from outside the folder, which is safe and not written.
  disk_.made(path, Node::Type::kFile, inode, bytes_of(path));
  disk_.flushed(inode);
}

}  // namespace cdt::test
