// The order of an epoch, and its batches read from the data set one ahead of the computation.
#pragma once

#include <cstdint>
#include <future>
#include <vector>

#include "io/dataset.h"

namespace cdt {

/// A permutation of 0 .. n-1 that depends on seed and epoch alone, so a run resumes inside an epoch
/// without stored generator state.
std::vector<std::int32_t> epoch_order(std::int64_t n, std::uint64_t seed, std::int64_t epoch);

/// DNA rows of the enhancers, (B, L, dna_dim), read by a background thread.
class DnaReader {
 public:
  explicit DnaReader(const Dataset& data) : data_(data) {}

  /// Begins to read; take() before the next start().
  void start(std::vector<std::int32_t> enhancers);
  /// Waits for the rows of the last start(), valid until the next take(). InputError on NaN or
  /// infinity in a row.
  const std::vector<float>& take();

 private:
  const Dataset& data_;
  std::vector<float> reading_, ready_;
  std::future<void> done_;  // last member: its destructor waits while the buffers live
};

}  // namespace cdt
