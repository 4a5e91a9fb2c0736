#include "io/format/journal.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/error.h"
#include "io/format/checksum.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::string_view kMagic = "CDTLOG1\n";
constexpr std::size_t kHeadBytes = 20;
constexpr std::size_t kCheckedBytes = 16;                    // of the head, by its own CRC
constexpr std::uint32_t kHeader = 1, kRecord = 2, kEnd = 3;  // kinds of frames
constexpr std::size_t kEndBytes = kHeadBytes + sizeof(std::uint64_t);
constexpr std::chrono::seconds kBetweenSyncs{5};

std::uint32_t crc_of(std::string_view bytes) {
  std::uint32_t crc = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t piece =
        std::min<std::size_t>(bytes.size() - at, std::numeric_limits<uInt>::max());
    crc = static_cast<std::uint32_t>(
        crc32(crc, reinterpret_cast<const Bytef*>(bytes.data() + at), static_cast<uInt>(piece)));
    at += piece;
  }
  return crc;
}

bool has_crc(std::string_view bytes, std::uint32_t crc) {
  return crc_of(bytes) == crc || !checksums_count();
}

template <class T>
void put(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

struct JournalReader::Head {
  std::uint32_t kind = 0, crc = 0;
  std::uint64_t bytes = 0;  // of the content
};

JournalReader::JournalReader(std::filesystem::path path) : file_(std::move(path)) {
  const std::string magic = file_.head(kMagic.size());
  if (!kMagic.starts_with(magic)) {
    const auto wrong = std::mismatch(magic.begin(), magic.end(), kMagic.begin()).first;
    if (is_lost(static_cast<std::uint64_t>(wrong - magic.begin()) + 1)) return;
    throw InputError(this->path().string(), "format", "is not a journal of this engine");
  }
  if (magic.size() < kMagic.size()) return;
  at_ = kMagic.size();
  Head head;
  if (!read_frame(&head, &header_)) return;
  if (head.kind != kHeader) damaged("it does not begin with its header");
  has_header_ = true;
  if (file_.size() < at_ + kEndBytes) return;
  std::string end(kEndBytes, '\0');
  file_.read(file_.size() - kEndBytes, end.data(), end.size());
  finished_ =
      get<std::uint32_t>(end, 0) == kEnd && has_crc(std::string_view(end).substr(0, kCheckedBytes),
                                                    get<std::uint32_t>(end, kCheckedBytes));
}

void JournalReader::damaged(const std::string& how) const {
  const std::string where =
      has_header_ ? "record " + std::to_string(records_ + 1) : std::string("header");
  throw InputError(path().string(), where,
                   "is damaged at byte " + std::to_string(at_) + ": " + how);
}

bool JournalReader::is_lost(std::uint64_t end) const {
  constexpr std::uint64_t kPiece = 1U << 16U;
  std::string bytes;
  for (std::uint64_t at = end - 1; at < file_.size(); at += bytes.size()) {
    bytes.resize(std::min(kPiece, file_.size() - at));
    file_.read(at, bytes.data(), bytes.size());
    if (bytes.find_first_not_of('\0') != std::string::npos) return false;
  }
  return true;
}

/// Reads the next frame; false if the file ends before it does.
bool JournalReader::read_frame(Head* head, std::string* content) {
  const std::uint64_t left = file_.size() - at_;
  if (left < kHeadBytes) return false;
  std::string bytes(kHeadBytes, '\0');
  file_.read(at_, bytes.data(), bytes.size());
  const std::string_view checked = std::string_view(bytes).substr(0, kCheckedBytes);
  if (!has_crc(checked, get<std::uint32_t>(bytes, kCheckedBytes))) {
    if (!finished_ && is_lost(at_ + kHeadBytes)) return false;
    damaged("its length has another checksum");
  }
  *head = {get<std::uint32_t>(bytes, 0), get<std::uint32_t>(bytes, 4),
           get<std::uint64_t>(bytes, 8)};
  if (left - kHeadBytes < head->bytes) return false;
  content->resize(head->bytes);
  file_.read(at_ + kHeadBytes, content->data(), content->size());
  const std::uint64_t end = at_ + kHeadBytes + head->bytes;
  if (!has_crc(*content, head->crc)) {
    if (!finished_ && is_lost(end)) return false;
    damaged("its content has another checksum");
  }
  at_ = end;
  return true;
}

bool JournalReader::next(std::string* record) {
  const std::uint64_t before = at_;
  Head head;
  if (!has_header_ || !read_frame(&head, record)) return false;
  if (head.kind == kRecord) {
    ++records_;
    return true;
  }
  if (head.kind != kEnd || record->size() != sizeof(std::uint64_t)) damaged("of no known kind");
  const auto count = get<std::uint64_t>(*record, 0);
  if (count != records_ || at_ != file_.size()) {
    throw InputError(path().string(), "records",
                     expected_got("are not those that its end counts", std::to_string(count),
                                  std::to_string(records_)));
  }
  at_ = before;
  return false;
}

JournalWriter::JournalWriter(std::filesystem::path path, std::string_view header)
    : path_(std::move(path)), synced_(std::chrono::steady_clock::now()) {
  open(O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  write_through(kMagic);
  write_frame(kHeader, header);
  sync();
}

JournalWriter::JournalWriter(const JournalReader& read)
    : path_(read.path()), records_(read.records()), synced_(std::chrono::steady_clock::now()) {
  open(O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  if (::ftruncate(file_.get(), static_cast<off_t>(read.whole_bytes())) != 0) {
    throw InputError(path_.string(), "write", system_message(errno));
  }
}

void JournalWriter::open(int flags) {
  file_.reset(::open(path_.c_str(), flags, 0666));
  if (file_.get() < 0) throw InputError(path_.string(), "write", system_message(errno));
}

void JournalWriter::write_through(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw InputError(path_.string(), "write", system_message(errno));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void JournalWriter::write_frame(std::uint32_t kind, std::string_view content) {
  std::string frame;
  frame.reserve(kHeadBytes + content.size());
  put(kind, &frame);
  put(crc_of(content), &frame);
  put(static_cast<std::uint64_t>(content.size()), &frame);
  put(crc_of(frame), &frame);
  frame.append(content);
  write_through(frame);
}

void JournalWriter::sync() {
  if (::fsync(file_.get()) != 0) {
    throw InputError(path_.string(), "write", system_message(errno));
  }
  synced_ = std::chrono::steady_clock::now();
}

void JournalWriter::append(std::string_view record) {
  write_frame(kRecord, record);
  ++records_;
  if (std::chrono::steady_clock::now() - synced_ > kBetweenSyncs) sync();
}

void JournalWriter::finish() {
  std::string count;
  put(records_, &count);
  write_frame(kEnd, count);
  sync();
}

}  // namespace cdt
