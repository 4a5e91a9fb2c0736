// The RNA input of training batches. A data set with one RNA for all pairs has it on the device
// once; RNA of samples is read and uploaded for every batch, a row for each pair.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "io/dataset/dataset.h"

namespace cdt {

class RnaInput {
 public:
  /// batch: number of pairs in every batch.
  RnaInput(const Dataset& data, Backend& backend, Arena& lasting, std::int64_t batch);

  /// Brings in the rows of a batch, given the sample of each pair. Throws InputError on NaN or
  /// infinity.
  void load(const std::vector<std::int32_t>& samples);
  /// (1, G, rna_dim), which all pairs share, or (batch, G, rna_dim); always at the same address.
  const Tensor& values() const { return values_; }

 private:
  const Dataset& data_;
  Backend& backend_;
  Tensor values_;
};

}  // namespace cdt
