#include "engine/arena.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "engine/backend.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kAlign = 128;
constexpr std::size_t kFirstPiece = std::size_t{32} << 20U;

#ifdef CDT_DEBUG
constexpr std::size_t kCanaryBytes = kAlign;
constexpr float kCanary = -1.2345678e30F;
#else
constexpr std::size_t kCanaryBytes = 0;
#endif

}  // namespace

Arena::Arena(Backend& backend, std::string name) : backend_(backend), name_(std::move(name)) {}

Arena::~Arena() {
  for (const Piece& piece : pieces_) backend_.release(piece.base, piece.bytes);
}

std::size_t Arena::held() const {
  std::size_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += piece.committed;
  return bytes;
}

void Arena::fail(std::size_t bytes, const std::string& why) const {
  throw Error("arena " + name_ + ": no " + std::to_string(bytes) + " bytes more, with " +
              std::to_string(used_) + " in use: " + why);
}

std::pair<Arena::Piece*, Arena::Ranges::iterator> Arena::find_hole(std::size_t bytes) {
  for (Piece& piece : pieces_) {
    const auto hole = std::find_if(piece.holes.begin(), piece.holes.end(),
                                   [bytes](const auto& range) { return range.second >= bytes; });
    if (hole != piece.holes.end()) return {&piece, hole};
  }
  Piece& piece = grow(bytes);
  return {&piece, piece.holes.begin()};
}

Arena::Piece& Arena::grow(std::size_t bytes) {
  std::size_t before = 0;
  for (const Piece& piece : pieces_) before += piece.bytes;
  std::size_t wanted = std::max({bytes, before, kFirstPiece});
  float* base = backend_.reserve(wanted);
  if (base == nullptr && wanted > bytes) base = backend_.reserve(wanted = bytes);
  if (base == nullptr) fail(bytes, "out of memory: the process may reserve no more address space");
  pieces_.push_back({base, wanted, {{0, wanted}}, {}});
  return pieces_.back();
}

Tensor Arena::tensor(const Shape& shape, Dtype dtype) {
  const auto wanted = static_cast<std::size_t>(shape.count() * bytes_of(dtype));
  const std::size_t bytes =
      (std::max<std::size_t>(wanted, 1) + kAlign - 1) / kAlign * kAlign + kCanaryBytes;
  const auto [piece, hole] = find_hole(bytes);
  const auto [offset, size] = *hole;
  const std::size_t end = offset + bytes;
  if (end > piece->committed) {
    try {
      backend_.commit(piece->base, piece->committed, end);
    } catch (const Error& error) {
      fail(bytes, error.what());
    }
    piece->committed = end;
  }
  piece->holes.erase(hole);
  if (size > bytes) piece->holes[end] = size - bytes;
  piece->live[offset] = bytes;
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  poison(*piece, offset, bytes);
  return {piece->base + offset / sizeof(float), shape, dtype};
}

void Arena::give_back(const Tensor& t) {
  const auto piece = std::find_if(pieces_.begin(), pieces_.end(), [&t](const Piece& p) {
    return !std::less<>()(t.data, p.base) &&
           std::less<>()(t.data, p.base + p.bytes / sizeof(float));
  });
  const bool inside = piece != pieces_.end();
  const std::size_t offset =
      inside ? static_cast<std::size_t>(t.data - piece->base) * sizeof(float) : 0;
  const auto found = inside ? piece->live.find(offset) : Ranges::iterator();
  CDT_CHECK(inside && found != piece->live.end(),
            "arena " + name_ + ": free of " + t.shape.to_string() + ", which is not in use");
  std::size_t bytes = found->second;
  check_canary(*piece, offset, bytes);
  piece->live.erase(found);
  used_ -= bytes;
  poison(*piece, offset, bytes);
  Ranges& holes = piece->holes;
  const auto next = holes.find(offset + bytes);
  if (next != holes.end()) {
    bytes += next->second;
    holes.erase(next);
  }
  auto before = holes.lower_bound(offset);
  if (before != holes.begin()) {
    --before;
    if (before->first + before->second == offset) {
      before->second += bytes;
      return;
    }
  }
  holes[offset] = bytes;
}

void Arena::reset() {
  for (Piece& piece : pieces_) {
    for (const auto& [offset, bytes] : piece.live) {
      check_canary(piece, offset, bytes);
      poison(piece, offset, bytes);
    }
    piece.live.clear();
    piece.holes = {{0, piece.bytes}};
  }
  used_ = 0;
}

#ifdef CDT_DEBUG

void Arena::poison(const Piece& piece, std::size_t offset, std::size_t bytes) {
  if (!backend_.holds_values()) return;
  const auto count = static_cast<std::int64_t>((bytes - kCanaryBytes) / sizeof(float));
  float* data = piece.base + offset / sizeof(float);
  backend_.fill({data, {count}}, std::numeric_limits<float>::quiet_NaN());
  backend_.fill({data + count, {static_cast<std::int64_t>(kCanaryBytes / sizeof(float))}}, kCanary);
}

void Arena::check_canary(const Piece& piece, std::size_t offset, std::size_t bytes) const {
  if (!backend_.holds_values()) return;
  constexpr std::size_t kCount = kCanaryBytes / sizeof(float);
  std::vector<float> found(kCount);
  float* data = piece.base + (offset + bytes - kCanaryBytes) / sizeof(float);
  backend_.download(found.data(), {data, {static_cast<std::int64_t>(kCount)}});
  for (const float f : found) {
    CDT_CHECK(f == kCanary, "arena " + name_ + ": written past the end of a tensor of " +
                                std::to_string(bytes - kCanaryBytes) + " bytes");
  }
}

#else

void Arena::poison(const Piece&, std::size_t, std::size_t) {}
void Arena::check_canary(const Piece&, std::size_t, std::size_t) const {}

#endif

}  // namespace cdt
