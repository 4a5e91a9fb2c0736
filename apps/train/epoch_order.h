// The order in which an epoch trains on its pairs (--order): derived from the run's seed, or as
// PyTorch's DataLoader shuffles them. It depends only on settings and epoch, so a run can resume
// within an epoch without stored generator state.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "apps/train/options.h"
#include "engine/torch_random.h"
#include "model/parameters.h"

namespace cdt {

/// --order seed: a permutation of 0 .. n-1 that depends only on seed and epoch (counting from 1).
std::vector<std::int32_t> epoch_order(std::int64_t n, std::uint64_t seed, std::int64_t epoch);

class EpochOrders {
 public:
  /// n: number of training pairs. model: used by --order torch, which continues the generator that
  /// drew the model's initial values.
  EpochOrders(std::int64_t n, const TrainSettings& settings, CdtParameters& model);

  /// Permutation of 0 .. n-1 for an epoch (counting from 1); the caller drops the last incomplete
  /// batch. The DataLoader's generator is first advanced to that epoch.
  std::vector<std::int32_t> of(std::int64_t epoch);

 private:
  std::vector<std::int32_t> next_epoch();

  std::int64_t n_;
  std::uint64_t seed_;  // for --order seed
  std::optional<TorchGenerator>
      start_;                          // for the other orders: the generator before the first epoch
  bool shared_ = false;                // whether it is torch's global generator
  std::optional<TorchGenerator> now_;  // before epoch next_
  std::int64_t next_ = 0;
};

}  // namespace cdt
