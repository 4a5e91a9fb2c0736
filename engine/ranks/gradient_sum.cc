#include "engine/ranks/gradient_sum.h"

#include <algorithm>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::int64_t kStarted = -1;

}  // namespace

template <class Visit>
void GradientSum::for_buckets_of(const Tensor& gradient, const Visit& visit) const {
  const std::int64_t begin = gradient.data - gradients_.data;
  const std::int64_t end = begin + gradient.count();
  CDT_CHECK(begin >= 0 && end <= gradients_.count(), "a gradient outside of the summed memory");
  for (std::int64_t bucket = begin / bucket_; bucket * bucket_ < end; ++bucket) {
    visit(bucket, std::min(end, (bucket + 1) * bucket_) - std::max(begin, bucket * bucket_));
  }
}

GradientSum::GradientSum(Communicator& ranks, const Tensor& gradients,
                         const std::vector<Var>& parameters, std::int64_t bucket)
    : ranks_(ranks), gradients_(gradients.reshaped({gradients.count()})), bucket_(bucket) {
  sizes_.resize(static_cast<std::size_t>((gradients.count() + bucket - 1) / bucket));
  for (const Var parameter : parameters) {
    for_buckets_of(parameter->grad, [this](std::int64_t at, std::int64_t count) {
      sizes_[static_cast<std::size_t>(at)] += count;
    });
  }
}

void GradientSum::begin() {
  missing_ = sizes_;
  overlapped_ = 0;
}

void GradientSum::start(std::int64_t bucket) {
  missing_[static_cast<std::size_t>(bucket)] = kStarted;
  const std::int64_t begin = bucket * bucket_;
  ranks_.start_sum(gradients_.slice(begin, std::min(gradients_.count(), begin + bucket_)));
}

void GradientSum::complete(const Tensor& gradient) {
  for_buckets_of(gradient, [this](std::int64_t bucket, std::int64_t count) {
    std::int64_t& missing = missing_[static_cast<std::size_t>(bucket)];
    CDT_CHECK(missing >= count, "a gradient is reported twice");
    missing -= count;
    if (missing > 0) return;
    start(bucket);
    ++overlapped_;
  });
}

void GradientSum::finish() {
  for (std::int64_t bucket = buckets(); bucket-- > 0;) {
    if (missing_[static_cast<std::size_t>(bucket)] != kStarted) start(bucket);
  }
  ranks_.wait_sums();
}

}  // namespace cdt
