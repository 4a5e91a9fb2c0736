// Reads the values of a tensor from its storage in the archive, with strides and checksum.
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <future>
#include <vector>

#include "engine/error.h"
#include "io/format/pt.h"

namespace cdt {
namespace {

constexpr std::size_t kPiece = std::size_t{1}
                               << 17U;  // small enough to be in cache for the checksum
constexpr std::size_t kWorthAThread = std::size_t{4} << 20U;

bool is_c_order(const PtTensor& t) {
  std::int64_t expected = 1;
  for (std::size_t axis = t.strides.size(); axis-- > 0;) {
    if (t.info.shape[axis] != 1 && t.strides[axis] != expected) return false;
    expected *= t.info.shape[axis];
  }
  return true;
}

/// Reads bytes of the archive and returns their CRC-32.
uLong read_with_checksum(const ZipArchive& zip, std::uint64_t begin, char* out, std::size_t bytes) {
  uLong crc = crc32(0, nullptr, 0);
  for (std::size_t done = 0; done < bytes; done += kPiece) {
    const std::size_t piece = std::min(kPiece, bytes - done);
    zip.read_bytes(begin + done, out + done, piece);
    crc = crc32(crc, reinterpret_cast<const Bytef*>(out + done), static_cast<uInt>(piece));
  }
  return crc;
}

}  // namespace

std::size_t PtTensor::element_size() const {
  return static_cast<std::size_t>(element_bytes(info.dtype));
}

bool PtTensor::extent(std::int64_t* elements) const {
  *elements = count == 0 ? 0 : 1;
  for (std::size_t axis = 0; count > 0 && axis < strides.size(); ++axis) {
    std::int64_t step = 0;
    if (__builtin_mul_overflow(info.shape[axis] - 1, strides[axis], &step) ||
        __builtin_add_overflow(*elements, step, elements)) {
      return false;
    }
  }
  return true;
}

/// Verifies the checksum of a storage, once.
void PtArchive::verify(const std::string& storage) const {
  if (!zip_.has_checksums() || verified_.count(storage) > 0) return;
  const std::unique_ptr<ByteStream> stream = zip_.open(storage);
  std::vector<char> piece(kPiece);
  while (stream->read(piece.data(), piece.size()) > 0) {
  }
  verified_.insert(storage);
}

void PtArchive::read_contiguous(const PtTensor& t, std::size_t bytes, void* out) const {
  const ZipMember& member = zip_.member(t.storage);
  const std::uint64_t begin = zip_.stored_begin(t.storage);
  if (bytes != member.unpacked) {
    verify(t.storage);
    zip_.read_bytes(begin + t.offset * t.element_size(), out, bytes);
    return;
  }
  // Reads the second half of a large storage on another thread: the checksum takes as long as
  // reading.
  auto* at = static_cast<char*>(out);
  const std::size_t half = bytes < kWorthAThread ? bytes : bytes / 2;
  std::future<uLong> rest;
  if (half < bytes) {
    // Runs in get() if no thread can be started.
    rest = std::async(std::launch::async | std::launch::deferred, read_with_checksum,
                      std::cref(zip_), begin + half, at + half, bytes - half);
  }
  uLong crc = read_with_checksum(zip_, begin, at, half);
  if (half < bytes) crc = crc32_combine(crc, rest.get(), static_cast<z_off_t>(bytes - half));
  zip_.expect_checksum(member, static_cast<std::uint32_t>(crc));
}

void PtArchive::read_strided(const PtTensor& t, void* out) const {
  verify(t.storage);
  const std::size_t size = t.element_size();
  std::int64_t extent = 0;
  CDT_CHECK(t.extent(&extent), "a view that was checked overflows");
  std::vector<char> span(static_cast<std::size_t>(extent) * size);
  zip_.read_bytes(zip_.stored_begin(t.storage) + t.offset * size, span.data(), span.size());
  auto* to = static_cast<char*>(out);
  std::vector<std::int64_t> index(t.strides.size(), 0);
  std::int64_t from = 0;
  for (std::int64_t i = 0; i < t.count; ++i, to += size) {
    std::memcpy(to, span.data() + static_cast<std::size_t>(from) * size, size);
    for (std::size_t axis = index.size(); axis-- > 0;) {
      from += t.strides[axis];
      if (++index[axis] < t.info.shape[axis]) break;
      from -= t.strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
}

void PtArchive::read(const PtTensor& t, void* out) const {
  if (t.count == 0) return;
  if (is_c_order(t)) {
    read_contiguous(t, static_cast<std::size_t>(t.count) * t.element_size(), out);
  } else {
    read_strided(t, out);
  }
}

}  // namespace cdt
