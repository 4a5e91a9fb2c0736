// Sums the gradients of a training step over the ranks while backward() still computes others: the
// gradients are cut into buckets, and the sum of a bucket starts once its last gradient is
// complete.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/ranks/communicator.h"
#include "engine/tape.h"
#include "engine/tensor.h"

namespace cdt {

class GradientSum : public GradientWatch {
 public:
  /// 16 MiB: large enough for the rate of a network to matter rather than its latency.
  static constexpr std::int64_t kBucket = std::int64_t{1} << 22U;

  /// gradients(n): memory that holds those of all `parameters`. bucket: elements of a bucket.
  GradientSum(Communicator& ranks, const Tensor& gradients, const std::vector<Var>& parameters,
              std::int64_t bucket = kBucket);

  /// Call before backward(), on every rank.
  void begin();
  void complete(const Tensor& gradient) override;
  /// Call after backward(): starts the sums of buckets with gradients that were not reported, and
  /// waits for all sums.
  void finish();

  std::int64_t buckets() const { return static_cast<std::int64_t>(missing_.size()); }
  /// Buckets whose sums backward() started, in the last step.
  std::int64_t overlapped() const { return overlapped_; }

 private:
  void start(std::int64_t bucket);
  /// Calls visit(bucket, count) for each bucket that holds `count` elements of a gradient.
  template <class Visit>
  void for_buckets_of(const Tensor& gradient, const Visit& visit) const;

  Communicator& ranks_;
  Tensor gradients_;
  std::int64_t bucket_;
  std::vector<std::int64_t> sizes_;    // by bucket: elements that belong to gradients
  std::vector<std::int64_t> missing_;  // by bucket: those not reported yet; -1: its sum is started
  std::int64_t overlapped_ = 0;
};

}  // namespace cdt
