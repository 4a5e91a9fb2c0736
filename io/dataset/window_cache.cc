#include "io/dataset/window_cache.h"

#include <fcntl.h>

#include <cerrno>

#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

const std::size_t kDigestBytes = Digest().hex().size();

}  // namespace

WindowCache::WindowCache(const CachePlace& place, const InputFile& blob, std::int64_t windows,
                         std::size_t bytes)
    : blob_(blob.path().string()),
      bytes_(bytes),
      folder_(place, blob_, blob.version(), windows, bytes + kDigestBytes) {
  if (folder_.capacity() == windows) return;
  note(place.folder.string() + ": has room for " + std::to_string(folder_.capacity()) + " of " +
       std::to_string(windows) + " windows of " + blob_ + "; the others are not cached");
}

std::string WindowCache::digest(std::int64_t window, const void* data) const {
  Digest digest;
  digest.add(std::string_view(folder_.key()));
  digest.add(static_cast<std::uint64_t>(window));
  digest.add(data, bytes_);
  return digest.hex();
}

bool WindowCache::read(std::int64_t window, void* out) {
  if (ended_ || window >= folder_.capacity()) return false;
  const fs::path path = folder_.part(window);
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0 && errno == ENOENT) return false;
  try {
    if (file.get() < 0) throw InputError(path.string(), "open", system_message(errno));
    bool sound = file_size(file, path) == bytes_ + kDigestBytes;
    if (sound) {
      std::string found(kDigestBytes, '\0');
      read_exactly(file, path, 0, out, bytes_);
      read_exactly(file, path, bytes_, found.data(), found.size());
      sound = found == digest(window, out);
    }
    if (sound) return true;
  } catch (const Error& error) {
    end(error.what());
    return false;
  }
  warn(path.string() + ": is damaged; window " + std::to_string(window) + " is read from " + blob_ +
       " again");
  std::error_code ignored;
  fs::remove(path, ignored);
  return false;
}

void WindowCache::keep(std::int64_t window, const void* data) {
  if (ended_ || window >= folder_.capacity()) return;
  try {
    if (!folder_.has_room()) {
      end(folder_.path().string() + ": the volume has less than 5 % free");
      return;
    }
    AtomicFile file(folder_.part(window));
    file.write(data, bytes_);
    file.write(digest(window, data));
    file.publish();
  } catch (const InputError& error) {
    end(error.what());
  }
}

void WindowCache::end(const std::string& why) {
  if (!ended_.exchange(true)) warn(why + "; no more windows of " + blob_ + " are cached");
}

}  // namespace cdt
