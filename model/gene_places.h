// Where genes start relative to each enhancer, for models with gene positions: the features of
// model/positions.h, computed from the data set's gene table and uploaded batch by batch.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "io/dataset/dataset.h"
#include "model/config.h"

namespace cdt {

class GenePlaces {
 public:
  /// batch: most enhancers at a time. Allocates nothing for a model without gene positions.
  GenePlaces(const CdtConfig& config, const Dataset& data, Backend& backend, Arena& lasting,
             std::int64_t batch);

  /// True if the model has gene positions.
  bool wanted() const { return !features_.empty(); }
  /// Uploads the features of these enhancers and returns them: (rows.size(), G, kGeneFeatures),
  /// always at the same address and valid until the next load(). An empty tensor if not wanted().
  Tensor load(const std::vector<std::int32_t>& rows);
  /// What the last load() of a full batch returned.
  const Tensor& features() const { return features_; }

 private:
  const Dataset& data_;
  Backend& backend_;
  Tensor features_;          // (batch, G, kGeneFeatures)
  std::vector<float> host_;  // the same
};

}  // namespace cdt
