#include "engine/arena.h"

#include <cmath>
#include <limits>
#include <vector>

#include "engine/backend.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kAlign = 128;

#ifdef CDT_DEBUG
constexpr std::size_t kCanaryBytes = kAlign;
constexpr float kCanary = -1.2345678e30F;
#else
constexpr std::size_t kCanaryBytes = 0;
#endif

}  // namespace

Arena::Arena(Backend& backend, std::string name, std::size_t capacity)
    : backend_(backend),
      name_(std::move(name)),
      capacity_(capacity / kAlign * kAlign),
      base_(backend.reserve(capacity_)) {
  holes_[0] = capacity_;
}

Arena::~Arena() { backend_.release(base_, capacity_); }

Tensor Arena::tensor(const Shape& shape, Dtype dtype) {
  const auto wanted = static_cast<std::size_t>(shape.count() * bytes_of(dtype));
  const std::size_t bytes = (wanted + kAlign - 1) / kAlign * kAlign + kCanaryBytes;
  for (auto hole = holes_.begin(); hole != holes_.end(); ++hole) {
    const auto [offset, size] = *hole;
    if (size < bytes) continue;
    holes_.erase(hole);
    if (size > bytes) holes_[offset + bytes] = size - bytes;
    live_[offset] = bytes;
    used_ += bytes;
    peak_ = std::max(peak_, used_);
    if (offset + bytes > committed_) {
      backend_.commit(base_, committed_, offset + bytes);
      committed_ = offset + bytes;
    }
    poison(offset, bytes);
    return {base_ + offset / sizeof(float), shape, dtype};
  }
  throw Error("arena " + name_ + ": no room for a tensor " + shape.to_string() + " of " +
              std::to_string(bytes) + " bytes: " + std::to_string(used_) + " of " +
              std::to_string(capacity_) + " bytes in use");
}

void Arena::give_back(const Tensor& t) {
  const std::size_t offset = static_cast<std::size_t>(t.data - base_) * sizeof(float);
  const auto found = live_.find(offset);
  CDT_CHECK(t.data >= base_ && found != live_.end(),
            "arena " + name_ + ": free of " + t.shape.to_string() + ", which is not in use");
  std::size_t bytes = found->second;
  check_canary(offset, bytes);
  live_.erase(found);
  used_ -= bytes;
  std::size_t begin = offset;
  poison(begin, bytes);
  const auto next = holes_.find(begin + bytes);
  if (next != holes_.end()) {
    bytes += next->second;
    holes_.erase(next);
  }
  auto before = holes_.lower_bound(begin);
  if (before != holes_.begin()) {
    --before;
    if (before->first + before->second == begin) {
      before->second += bytes;
      return;
    }
  }
  holes_[begin] = bytes;
}

void Arena::reset() {
  for (const auto& [offset, bytes] : live_) {
    check_canary(offset, bytes);
    poison(offset, bytes);
  }
  live_.clear();
  holes_.clear();
  holes_[0] = capacity_;
  used_ = 0;
}

#ifdef CDT_DEBUG

void Arena::poison(std::size_t offset, std::size_t bytes) {
  const auto count = static_cast<std::int64_t>((bytes - kCanaryBytes) / sizeof(float));
  float* data = base_ + offset / sizeof(float);
  backend_.fill({data, {count}}, std::numeric_limits<float>::quiet_NaN());
  backend_.fill({data + count, {static_cast<std::int64_t>(kCanaryBytes / sizeof(float))}}, kCanary);
}

void Arena::check_canary(std::size_t offset, std::size_t bytes) const {
  constexpr std::size_t kCount = kCanaryBytes / sizeof(float);
  std::vector<float> found(kCount);
  float* data = base_ + (offset + bytes - kCanaryBytes) / sizeof(float);
  backend_.download(found.data(), {data, {static_cast<std::int64_t>(kCount)}});
  for (const float f : found) {
    CDT_CHECK(f == kCanary, "arena " + name_ + ": written past the end of a tensor of " +
                                std::to_string(bytes - kCanaryBytes) + " bytes");
  }
}

#else

void Arena::poison(std::size_t, std::size_t) {}
void Arena::check_canary(std::size_t, std::size_t) const {}

#endif

}  // namespace cdt
