#include "io/dataset/cache_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/file.h"
#include "io/format/json.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "cdt-cache";
constexpr const char* kClaim = "cache.json";
constexpr const char* kLock = "lock";
constexpr const char* kDoor = "cdt-cache.lock";  // of the whole folder
constexpr const char* kPart = ".part";
constexpr std::uint64_t kBlock = 4096;   // bytes of a disk block
constexpr std::uint64_t kMarginOf = 20;  // a 20th of the volume stays free

std::uint64_t on_disk(std::uint64_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

FileDescriptor open_lock(const fs::path& path, int create) {
  return FileDescriptor(::open(path.c_str(), O_RDWR | create | O_CLOEXEC | O_NOFOLLOW, 0666));
}

FileDescriptor create_lock(const fs::path& path) {
  FileDescriptor file = open_lock(path, O_CREAT);
  if (file.get() < 0) throw InputError(path.string(), "lock", system_message(errno));
  return file;
}

void wait(const FileDescriptor& file, const fs::path& path, bool shared) {
  const int error = wait_for_lock(file, shared);
  if (error == 0) return;
  throw InputError(path.string(), "lock",
                   "cannot be locked (" + system_message(error) + "); name a local folder");
}

/// Bytes on the disk of the files in a folder, some of which may vanish meanwhile.
std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t out = 0;
  std::error_code error;
  for (const fs::path& entry : entries_of(folder)) {
    const std::uintmax_t size = fs::file_size(entry, error);
    if (!error) out += on_disk(size);
  }
  return out;
}

/// What the user of a subfolder may write there in all; 0 if the subfolder does not say.
std::uint64_t claim_of(const fs::path& folder) {
  try {
    const nlohmann::json read = parse_json_file(folder / kClaim);
    return static_cast<std::uint64_t>(
        JsonReader(read, (folder / kClaim).string()).integer("bytes", 0));
  } catch (const InputError&) {
    return 0;
  }
}

/// A subfolder for another file, or for another version.
struct Other {
  fs::path path;
  std::uint64_t bytes;  // there are
  std::uint64_t taken;  // there are or will be
  fs::file_time_type last_use;
  FileDescriptor lock;  // held if nobody uses the subfolder, else closed
};

/// The subfolders except `own`. Those that nobody uses come first, by last use.
std::vector<Other> others_in(const fs::path& folder, const fs::path& own) {
  std::vector<Other> out;
  std::error_code error;
  for (const fs::path& path : entries_of(folder)) {
    if (path == own || !Digest::is_hex(path.filename().string()) || !fs::exists(path / kClaim)) {
      continue;
    }
    Other other{path, bytes_in(path), 0, fs::last_write_time(path / kLock, error),
                open_lock(path / kLock, 0)};
    other.taken = other.bytes;
    if (try_lock(other.lock) != 0) {  // used, or another user's
      other.taken = std::max(other.bytes, claim_of(path));
      other.lock.reset();
    }
    out.push_back(std::move(other));
  }
  std::sort(out.begin(), out.end(), [](const Other& a, const Other& b) {
    const bool a_used = a.lock.get() < 0;
    const bool b_used = b.lock.get() < 0;
    return a_used != b_used ? b_used : a.last_use < b.last_use;
  });
  return out;
}

/// Returns how many bytes may be in `own`, after making room for `need` where that is possible.
std::uint64_t make_room(const CachePlace& place, const fs::path& own, std::uint64_t need,
                        std::uint64_t margin) {
  const std::vector<Other> others = others_in(place.folder, own);
  std::uint64_t limit = place.bytes;
  if (limit == 0) {
    limit = free_space(place.folder) + bytes_in(own);
    for (const Other& other : others) limit += other.bytes;
    limit -= std::min(limit, margin);
  }
  std::uint64_t taken = 0;
  for (const Other& other : others) taken += other.taken;
  for (const Other& other : others) {
    if (taken + need <= limit || other.lock.get() < 0) break;
    std::error_code error;
    fs::remove_all(other.path, error);
    if (!error) taken -= other.taken;
  }
  return limit - std::min(limit, taken);
}

std::uint64_t margin_of(const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  return error ? 0 : space.capacity / kMarginOf;
}

/// Number of the part that a file of this name holds, or -1.
std::int64_t index_of(const fs::path& name) {
  const std::string stem = name.stem().string();
  std::int64_t index = -1;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), index);
  const bool whole = error == std::errc() && end == stem.data() + stem.size();
  return whole && name.extension() == kPart ? index : -1;
}

void remove_parts_from(const fs::path& folder, std::int64_t first) {
  for (const fs::path& entry : entries_of(folder)) {
    if (index_of(entry.filename()) >= first) remove_file(entry);
  }
}

}  // namespace

CacheFolder::CacheFolder(const CachePlace& place, const std::string& file,
                         const std::string& version, std::int64_t parts, std::uint64_t part_bytes)
    : key_(digest_of(std::string_view(version + '\n' + std::to_string(part_bytes)))),
      path_(place.folder / key_),
      part_bytes_(on_disk(part_bytes)) {
  create_output_directory(place.folder);
  margin_ = margin_of(place.folder);
  const FileDescriptor door = create_lock(place.folder / kDoor);
  wait(door, place.folder, false);
  create_output_directory(path_);
  use_ = create_lock(path_ / kLock);
  const bool alone = try_lock(use_) == 0;
  wait(use_, path_, true);
  ::futimens(use_.get(), nullptr);  // its last use
  sweep_temporaries(path_);
  const std::uint64_t need = static_cast<std::uint64_t>(parts) * part_bytes_;
  const std::uint64_t room = std::min(make_room(place, path_, need, margin_), need);
  capacity_ = static_cast<std::int64_t>(room / part_bytes_);
  try {
    claim(file, parts, alone);
  } catch (const InputError& error) {  // such as a full volume
    capacity_ = 0;
    warn(std::string(error.what()) + "; no windows of " + file + " are cached");
  }
  if (alone) remove_parts_from(path_, capacity_);
}

void CacheFolder::claim(const std::string& file, std::int64_t parts, bool alone) const {
  std::uint64_t bytes = static_cast<std::uint64_t>(capacity_) * part_bytes_;
  if (!alone) bytes = std::max(bytes, claim_of(path_));
  write_file(path_ / kClaim, json_text(nlohmann::ordered_json{{"format", kFormat},
                                                              {"version", 1},
                                                              {"file", file},
                                                              {"parts", parts},
                                                              {"bytes", bytes}}));
}

fs::path CacheFolder::part(std::int64_t index) const {
  return path_ / (std::to_string(index) + kPart);
}

bool CacheFolder::has_room() const { return free_space(path_) >= margin_ + part_bytes_; }

}  // namespace cdt
