// In which order an epoch trains on its pairs (--order): by the run's seed, or as PyTorch's
// DataLoader shuffles them. Always a function of settings and epoch, so a run resumes inside an
// epoch without stored generator state.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "apps/train/options.h"
#include "engine/torch_random.h"
#include "model/parameters.h"

namespace cdt {

/// --order seed: a permutation of 0 .. n-1 that depends on seed and epoch, from 1, alone.
std::vector<std::int32_t> epoch_order(std::int64_t n, std::uint64_t seed, std::int64_t epoch);

class EpochOrders {
 public:
  /// n: train pairs. model: of --order torch, which goes on with the generator that drew its
  /// initial values.
  EpochOrders(std::int64_t n, const TrainSettings& settings, CdtParameters& model);

  /// A permutation of 0 .. n-1, of which the last incomplete batch is left out; epochs count
  /// from 1. A DataLoader's generator is drawn up to that epoch first.
  std::vector<std::int32_t> of(std::int64_t epoch);

 private:
  std::vector<std::int32_t> next_epoch();

  std::int64_t n_;
  std::uint64_t seed_;                   // of --order seed
  std::optional<TorchGenerator> start_;  // else that of the DataLoader, before the first epoch
  bool shared_ = false;                  // it is the global one
  std::optional<TorchGenerator> now_;    // before epoch next_
  std::int64_t next_ = 0;
};

}  // namespace cdt
